"""Many runs (成批生成): look up what is unchanged, run the rest, publish each as it is done, recap at the end."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import PolicyBriefError
from ..periods import Period
from . import catalogue, inputs, keys, plan, provenance, publish, run
from .inputs import Digests
from .plan import Run
from .pool import Pool
from .publish import Site
from .run import Order, Outcome

ADDED = frozenset({catalogue.ABOUT})  # files of a published brief that depend on when it was built

Listener = Callable[[str, Run, Outcome | None], None]

EXECUTED = "notebook.ipynb"
_PAUSE = 0.2  # seconds between two tries for a lock that another build holds
_BACKOFF = 1.0  # seconds before the first retry; doubled each time


@dataclass(frozen=True)
class Options:
    """How a build works (构建选项).

    Attributes
    ----------
    renderer
        ``nbconvert`` or ``quarto``.
    force
        Run again even what is unchanged.
    """

    renderer: str = "nbconvert"
    force: bool = False


@dataclass
class Job:
    """A run on its way: its key, what it will be made from, and its tries."""

    run: Run
    components: dict[str, Any]
    attached: dict[str, Path]
    printed: dict[str, Any]
    state: Any
    manifest: Mapping[str, Any] | None
    attempts: int = 0
    not_before: float = 0.0
    lock: BinaryIO | None = None
    number: int = field(default_factory=itertools.count().__next__)


class Build:
    """One build: its sites, its shared facts, its results.

    Parameters
    ----------
    site
        Folder of the shared site; 内部 briefs go to ``publish.internal(site)``.
    digests
        Hashes of contents.
    options
        How it works.
    listen
        Told ``started``, ``waiting``, ``retrying`` and ``finished`` of each run.
    """

    def __init__(
        self, site: Path, digests: Digests, options: Options, listen: Listener = lambda *_: None
    ) -> None:
        self._site = site
        self._sites: dict[bool, Site] = {}
        self._digests = digests
        self._options = options
        self._listen = listen
        self.environment = keys.environment(digests)
        self._notebooks: dict[str, Any] = {}
        self._git: dict[str, Any] | None = None
        self._touched: set[bool] = set()

    def site(self, it: Run) -> Site:
        """The site a run is published in."""
        internal = it.definition.internal
        if internal not in self._sites:
            self._sites[internal] = Site(publish.internal(self._site) if internal else self._site)
        return self._sites[internal]

    def carry_out(self, runs: Sequence[Run], pool: Callable[[], Pool]) -> list[Outcome]:
        """Build all runs; ``pool()`` makes the pool when the first must be carried out.

        The result is in the order of ``runs``. On an interrupt the pool is stopped, the index written for what is
        published, and the interrupt raised again.
        """
        outcomes: dict[str, Outcome] = {}
        for site in {self.site(it) for it in runs}:
            site.writable()
        with contextlib.ExitStack() as stack:
            made: list[Pool] = []
            stack.callback(self._list)
            # A brief reads the results of the period before it, so periods follow each other.
            for _, wave in itertools.groupby(sorted(runs, key=_period_of), key=_period_of):
                jobs = []
                for it in wave:
                    job, outcome = self._look_up(it)
                    if outcome is not None:
                        outcomes[it.id] = outcome
                        self._listen("finished", it, outcome)
                    elif job is not None:
                        jobs.append(job)
                if jobs and not made:
                    made.append(pool())
                    stack.callback(made[0].close)
                for it, outcome in self._work(jobs, made[0], stack) if jobs else ():
                    outcomes[it.id] = outcome
                    self._listen("finished", it, outcome)
        return [outcomes[it.id] for it in runs]

    def prepare(self, it: Run) -> Job:
        """A run with its key, as of now.

        Raises
        ------
        PolicyBriefError
            The notebook or an input cannot be read.
        """
        site = self.site(it)
        # State before hashes: what changes in between is seen as replaced in mid-run.
        state = [inputs.state(source) for source in it.inputs.values()]
        attached = self._attached(it, site)
        components = keys.execution(it, self._notebook(it), attached, self._digests, self.environment)
        as_of, simulated = self._data(it)
        printed = provenance.printed(it, as_of, simulated)
        return Job(it, components, attached, printed, state, site.manifest(it.id))

    def executed(self, job: Job) -> Path | None:
        """The executed notebook, if the published brief was executed with the same key and ended well."""
        if job.manifest is None or self._options.force:
            return None
        key = keys.execution_key(job.components)
        file = self.site(job.run).folder(job.run.id) / EXECUTED
        same = key is not None and job.manifest["reproducible"]["keys"]["execution"] == key
        return file if same and file.is_file() else None

    def _reusable(self, job: Job) -> Path | None:
        """The executed notebook to render again: the one that was published, not one altered since."""
        file = self.executed(job)
        if file is None or job.manifest is None:
            return None
        same = hashlib.sha256(file.read_bytes()).hexdigest() == job.manifest["outputs"].get(EXECUTED)
        return file if same else None

    def rendered(self, job: Job) -> bool:
        """Whether the published brief's pages are still what would be rendered."""
        assert job.manifest is not None
        folder = self.site(job.run).folder(job.run.id)
        outputs = job.manifest["outputs"]
        key = keys.rendering_key(
            outputs.get(EXECUTED, ""),
            self._notebook(job.run),
            job.printed,
            job.run.formats,
            self._options.renderer,
            self.environment,
        )
        return bool(job.manifest["reproducible"]["keys"].get("render") == key) and all(
            (folder / name).is_file() for name in outputs
        )

    def _look_up(self, it: Run) -> tuple[Job | None, Outcome | None]:
        try:
            job = self.prepare(it)
        except PolicyBriefError as error:
            return None, Outcome(it.id, run.FAILED, message=str(error))
        if self.executed(job) and self.rendered(job):
            return None, Outcome(it.id, run.UNCHANGED, mode="unchanged")
        return job, None

    def _work(
        self, jobs: list[Job], pool: Pool, stack: contextlib.ExitStack
    ) -> Iterator[tuple[Run, Outcome]]:
        waiting, running = list(jobs), dict[str, Job]()
        staging: dict[bool, Path] = {}
        while waiting or running:
            while pool.free() and (job := self._next(waiting)) is not None:
                waiting.remove(job)
                internal = job.run.definition.internal
                if internal not in staging:
                    staging[internal] = stack.enter_context(self.site(job.run).staging())
                job, outcome = self._recheck(job)
                if outcome is not None:
                    yield job.run, outcome
                    continue
                job.attempts += 1
                running[job.run.id] = job
                self._listen("started", job.run, None)
                pool.submit(self._order(job, staging[internal] / f"{job.number}-{job.attempts}"))
            if not running:
                time.sleep(_PAUSE)
                continue
            for order, outcome in pool.collect(_PAUSE if waiting else 1.0):
                job = running.pop(order.run.id)
                settled = self._settle(job, order, outcome)
                if settled is None:
                    waiting.append(job)
                else:
                    yield job.run, settled

    def _next(self, waiting: Iterable[Job]) -> Job | None:
        """The first job that may start: no back-off runs, and no other build holds its lock."""
        now = time.monotonic()
        for job in waiting:
            if job.not_before > now:
                continue
            if job.lock is None:
                job.lock = self.site(job.run).try_lock(job.run.id)
            if job.lock is not None:
                return job
            if job.not_before == 0.0:
                self._listen("waiting", job.run, None)
            job.not_before = now + _PAUSE
        return None

    def _recheck(self, job: Job) -> tuple[Job, Outcome | None]:
        """With the lock held: perhaps another build has made it meanwhile, or its inputs have changed."""
        try:
            fresh = self.prepare(job.run)
        except PolicyBriefError as error:
            self._release(job)
            return job, Outcome(job.run.id, run.FAILED, message=str(error))
        fresh = replace(fresh, attempts=job.attempts, lock=job.lock, number=job.number)
        if job.attempts == 0 and self.executed(fresh) and self.rendered(fresh):
            self._release(fresh)
            return fresh, Outcome(job.run.id, run.UNCHANGED, mode="unchanged")
        return fresh, None

    def _order(self, job: Job, staging: Path) -> Order:
        part = provenance.reproducible(job.run, job.components, job.printed, self.environment)
        return Order(
            job.run,
            staging,
            job.attached,
            self._reusable(job),
            part,
            self.environment,
            job.printed,
            self._options.renderer,
        )

    def _settle(self, job: Job, order: Order, outcome: Outcome) -> Outcome | None:
        """Publish what a run left; ``None`` when it is to be tried again."""
        if [inputs.state(source) for source in job.run.inputs.values()] != job.state:
            outcome = replace(
                outcome,
                status=run.FAILED,
                transient=True,
                message="输入在运行中被替换，结果作废。请在数据更新完成后重新运行",
            )
        if not outcome.good and outcome.transient and job.attempts <= job.run.definition.limits.retries:
            job.not_before = time.monotonic() + _BACKOFF * 2 ** (job.attempts - 1)
            self._listen("retrying", job.run, outcome)
            return None
        try:
            self._publish(job, order, outcome)
        except OSError as error:
            failure = str(publish.disk_error(error))
            message = failure if outcome.good else f"{outcome.message}；{failure}"
            outcome = replace(outcome, status=run.FAILED, message=message)
        self._release(job)
        return outcome

    def _publish(self, job: Job, order: Order, outcome: Outcome) -> None:
        site, out = self.site(job.run), order.staging / "out"
        out.mkdir(parents=True, exist_ok=True)
        if self._git is None:
            self._git = provenance.git_state(job.run.definition.root)
        content = provenance.manifest(job.run, order, job.components, outcome, self._git, job.attempts)
        provenance.write(content, out)
        (out / catalogue.ABOUT).write_text(catalogue.about(content, outcome.outputs), encoding="utf-8")
        self._touched.add(job.run.definition.internal)
        if outcome.good:
            site.publish(out, job.run.id)
        else:
            site.publish_failed(out, job.run.id)

    def _release(self, job: Job) -> None:
        if job.lock is not None:
            job.lock.close()
            job.lock = None

    def _list(self) -> None:
        """Write index and feed of the sites in use."""
        for internal, site in self._sites.items():
            if internal in self._touched or not (site.root / "index.html").exists():
                with contextlib.suppress(OSError):  # a full disk has been told of already
                    catalogue.write(site, internal=internal)
        self._digests.save()

    def _notebook(self, it: Run) -> Any:
        if it.definition.id not in self._notebooks:
            self._notebooks[it.definition.id] = plan.read_notebook(it.definition)
        return self._notebooks[it.definition.id]

    def _attached(self, it: Run, site: Site) -> dict[str, Path]:
        """Files that the engine adds to a run whose notebook asks for them."""
        found = {}
        if "advice" in it.values and it.definition.advice_file is not None:
            found["advice"] = it.definition.advice_file
        if "previous" in it.values and it.period is not None:
            before = f"{it.definition.id}/{it.region or plan.ALL}/{Period.parse(it.period).previous}"
            file = site.folder(before) / "results.json"
            if file.is_file():
                found["previous"] = file
        return found

    def _data(self, it: Run) -> tuple[str | None, bool]:
        """Date of the data, and whether any of them is simulated."""
        as_of, simulated = None, False
        for source in it.inputs.values():
            facts = plan.facts_of(source.origin or source, self._digests)
            as_of = facts.get("as_of") or as_of
            simulated = simulated or bool(facts.get("simulated"))
        return as_of, simulated


def memory(site: Path) -> Digests:
    """The hashes a site remembers."""
    return Digests(Site(site).memory)


def _period_of(it: Run) -> str:
    return it.period or ""
