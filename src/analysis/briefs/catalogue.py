"""The site's pages around the briefs (目录): index, Atom feed and each brief's own page, written from the manifests.

Plain files without a database: any web server serves them, and an archive of the folder works from a disk.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .publish import FAILED_SUFFIX, MANIFEST, Site, write_whole

ABOUT = "about.html"
_NAMES = {
    "index.html": "网页",
    "brief.pdf": "PDF",
    "brief.docx": "Word",
    "tables.xlsx": "附表",
    "notebook.ipynb": "笔记本",
    "results.json": "结果",
    MANIFEST: "来源清单",
}
_STATUS = {"succeeded": "已发布", "raised": "笔记本出错", "failed": "引擎故障"}
_FEED_LENGTH = 100


def write(site: Site, *, internal: bool = False) -> None:
    """Write ``index.html`` and ``feed.xml`` of a site; 内部 briefs get an index of their own and no feed."""
    entries = sorted((_entry(site, *found) for found in site.manifests()), key=_newest_first)
    write_whole(site.root / "index.html", _index(entries, internal))
    if not internal:
        write_whole(site.root / "feed.xml", _feed(entries))


def about(manifest: Mapping[str, Any], files: Iterable[str]) -> str:
    """The page of one brief: all its files, what it was made from, and what went wrong if something did."""
    made = manifest["reproducible"]
    failure = manifest["failure"]
    named = [name for name in _NAMES if name in {*files, MANIFEST}]
    listed = [f'<li><a href="{name}">{_NAMES[name]}</a></li>' for name in named]
    listed += [
        f'<li><a href="{_url(name)}">表：{html.escape(Path(name).stem)}（CSV）</a></li>'
        for name in sorted(files)
        if name.startswith("tables/")
    ]
    sections = [f"<ul class=files>{''.join(listed)}</ul>"]
    if failure:
        cell = f"，第 {failure['cell']} 个单元" if failure["cell"] else ""
        sections.insert(
            0,
            f"<p class=bad>{_STATUS[manifest['status']]}{cell}：{html.escape(failure['message'])}</p>"
            + (
                f"<details><summary>错误详情</summary><pre>{html.escape(failure['traceback'])}</pre></details>"
                if failure["traceback"]
                else ""
            ),
        )
    rows = [(f"参数 {name}", value) for name, value in made["parameters"].items()]
    rows += [(f"输入 {name}", _input(item)) for name, item in made["inputs"].items()]
    rows += [("执行键", made["keys"]["execution"]), ("渲染键", made["keys"].get("render"))]
    rows += [("代码版本", manifest["build"]["git"].get("commit")), ("生成时间", manifest["build"]["at"])]
    table = "".join(
        f"<tr><th>{html.escape(str(name))}</th><td>{html.escape('—' if value is None else str(value))}</td></tr>"
        for name, value in rows
    )
    sections.append(f"<h2>来源</h2><table>{table}</table>")
    return _page(_heading(manifest), "".join(sections), made["classification"] == "内部")


def _entry(site: Site, folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    made, files = manifest["reproducible"], manifest["outputs"]
    return {
        "id": made["run"],
        "folder": folder.relative_to(site.root).as_posix(),
        "failed": folder.name.endswith(FAILED_SUFFIX),
        "status": manifest["status"],
        "report": manifest["report"],
        "title": made["title"],
        "region": manifest["region_name"] or "—",
        "code": manifest["region"] or "",
        "period": manifest["period"] or "—",
        "period_label": manifest["period_label"] or "—",
        "as_of": made.get("as_of") or "—",
        "simulated": made.get("simulated", False),
        "at": manifest["build"]["at"],
        "message": (manifest["failure"] or {}).get("message", ""),
        "files": [name for name in _NAMES if name in files or name == MANIFEST],
    }


def _newest_first(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    period = str(entry["period"]).replace("Q", "-Q").replace("H", "-H")
    return (tuple(-ord(sign) for sign in period), entry["report"], entry["code"], entry["failed"])


def _index(entries: list[dict[str, Any]], internal: bool) -> str:
    rows = "".join(_row(entry) for entry in entries)
    filters = "".join(
        f'<label>{label}<select data-column="{column}"><option value="">全部</option>{_options(entries, column, shown)}</select></label>'
        for label, column, shown in (
            ("报告", "report", "title"),
            ("地区", "code", "region"),
            ("报告期", "period", "period_label"),
            ("状态", "status", "status"),
        )
    )
    body = (
        f'<form class=filters role=search onsubmit="return false">{filters}'
        '<label>搜索<input type=search placeholder="标题、地区、报告期"></label></form>'
        f'<p id=count aria-live=polite data-total="{len(entries)}">共 {len(entries)} 份</p>'
        "<table class=list><thead><tr><th>报告</th><th>地区</th><th>报告期</th><th>数据截至</th><th>状态</th><th>文件</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><script>{_SCRIPT}</script>"
    )
    return _page("内部简报目录" if internal else "简报目录", body, internal, feed=not internal)


def _row(entry: Mapping[str, Any]) -> str:
    folder = _url(entry["folder"])
    first = "index.html" if "index.html" in entry["files"] else ABOUT
    links = " ".join(f'<a href="{folder}/{name}">{_NAMES[name]}</a>' for name in entry["files"])
    mark = " <span class=mark>模拟数据</span>" if entry["simulated"] else ""
    bad = ' class="bad"' if entry["failed"] else ""
    data = "".join(
        f' data-{name}="{html.escape(str(entry[name]))}"' for name in ("report", "code", "period", "status")
    )
    status = f'<span title="{html.escape(entry["message"])}">{_STATUS[entry["status"]]}</span>'
    return (
        f'<tr{bad}{data}><td><a href="{folder}/{first}">{html.escape(entry["title"])}</a>{mark}</td>'
        f"<td>{html.escape(entry['region'])}</td><td>{html.escape(entry['period_label'])}</td>"
        f"<td>{html.escape(entry['as_of'])}</td><td>{status}</td>"
        f'<td>{links} <a href="{folder}/{ABOUT}">全部文件</a></td></tr>'
    )


def _options(entries: list[dict[str, Any]], column: str, shown: str) -> str:
    names = {str(entry[column]): str(entry[shown]) for entry in entries if entry[column]}
    return "".join(
        f'<option value="{html.escape(value)}">{html.escape(_STATUS.get(name, name))}</option>'
        for value, name in sorted(names.items(), reverse=column == "period")
    )


def _feed(entries: list[dict[str, Any]]) -> str:
    newest = sorted(entries, key=lambda entry: str(entry["at"]), reverse=True)[:_FEED_LENGTH]
    items = "".join(
        f"<entry><id>urn:policy-brief:{html.escape(entry['folder'])}</id>"
        f"<title>{html.escape(entry['title'])} {html.escape(entry['region'])} {html.escape(entry['period_label'])}"
        f"{'（' + _STATUS[entry['status']] + '）' if entry['failed'] else ''}</title>"
        f'<updated>{entry["at"]}</updated><link href="{_url(entry["folder"])}/'
        f'{"index.html" if "index.html" in entry["files"] else ABOUT}"/>'
        f"<summary>{html.escape(entry['message'] or '数据截至 ' + entry['as_of'])}</summary></entry>"
        for entry in newest
    )
    updated = newest[0]["at"] if newest else "1970-01-01T00:00:00+00:00"
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">'
        "<id>urn:policy-brief:site</id><title>政策评估简报</title><author><name>policy-brief</name></author>"
        f'<link rel="self" href="feed.xml"/><link href="index.html"/><updated>{updated}</updated>{items}</feed>\n'
    )


def _heading(manifest: Mapping[str, Any]) -> str:
    parts = (manifest["title"], manifest["region_name"], manifest["period_label"])
    return "　".join(part for part in parts if part)


def _input(item: Mapping[str, Any]) -> str:
    rows = f"{item['rows']} 行，" if "rows" in item else ""
    count = f"{item['count']} 个文件，" if item.get("count", 1) > 1 else ""
    return f"{count}{rows}SHA-256 {item['sha256']}" if item["sha256"] else f"数据库 {item['location']}"


def _url(path: str) -> str:
    from urllib.parse import quote

    return html.escape(quote(path))


def _page(title: str, body: str, internal: bool, *, feed: bool = False) -> str:
    header = "<p class=internal>内部资料 不得外传</p>" if internal else ""
    link = '<link rel="alternate" type="application/atom+xml" href="feed.xml">' if feed else ""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title>{link}<style>{_STYLE}</style></head>"
        f"<body>{header}<h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )


_STYLE = """
:root{color-scheme:light dark}[hidden]{display:none!important}
body{font:16px/1.7 "Noto Sans SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",sans-serif;max-width:76rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #8885;vertical-align:top;overflow-wrap:anywhere}
.filters{display:flex;flex-wrap:wrap;gap:.6rem 1rem}.filters label{display:flex;gap:.4rem;align-items:center}select,input{font:inherit;max-width:16rem}
.bad td,p.bad{background:#c0392b1f}.mark{font-size:.8rem;border:1px solid;border-radius:.3rem;padding:0 .3rem}.internal{color:#c0392b;font-weight:600}
a{color:inherit;text-underline-offset:.2em}pre{overflow:auto}@media(max-width:40rem){.list thead{display:none}.list tr,.list td{display:block;border:0;padding:.1rem 0}.list tr{border-bottom:1px solid #8885;padding:.6rem 0}}
""".replace("\n", "")

_SCRIPT = """
const rows=[...document.querySelectorAll('.list tbody tr')],selects=[...document.querySelectorAll('select')],
find=document.querySelector('input[type=search]'),count=document.getElementById('count');
function show(){const words=find.value.trim().toLowerCase().split(/\\s+/);let n=0;
for(const row of rows){const on=selects.every(s=>!s.value||row.dataset[s.dataset.column]===s.value)&&
words.every(w=>row.textContent.toLowerCase().includes(w));row.hidden=!on;n+=on}
count.textContent=n===rows.length?`共 ${n} 份`:`${n} / ${rows.length} 份`}
selects.forEach(s=>s.addEventListener('change',show));find.addEventListener('input',show);
""".replace("\n", "")
