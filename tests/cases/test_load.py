import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import ibis
import openpyxl
import pandas as pd
import pytest

from analysis import cases
from analysis.cases import margins, schema
from analysis.errors import InputError, RequestError

HEAD = "件编号,登记日期,渠道,问题属地\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# ---- CSV ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_chinese_heads(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path / "petitions.csv", HEAD + "1,2024年3月5日,来访,990102\n", encoding)
    frame = cases.load(file).petitions.execute()
    assert frame.loc[0, ["piece_id", "channel", "locality_code"]].tolist() == ["1", "来访", "990102"]
    assert frame.loc[0, "registered_at"] == pd.Timestamp("2024-03-05")
    assert frame.loc[0, "system"] == "信访"


def test_mixed_encodings_are_read_line_by_line_and_reported(tmp_path: Path) -> None:
    file = tmp_path / "petitions.csv"
    file.write_bytes(
        (HEAD + "1,2024-03-05,来访,990102\n").encode()
        + "2,2024-03-06,来信,990102\n".encode("gb18030")
        + b"3,2024-03-07,\xff\xff,990102\n"
    )
    made = cases.load(file)
    assert made.petitions.channel.execute().tolist()[:2] == ["来访", "来信"]
    rejects = cases.check(made, "2024-12-31")
    assert rejects.loc[rejects["rule"] == "unreadable_bytes", "row"].tolist() == [3]
    assert rejects.loc[rejects["rule"] == "mixed_encoding", "row"].tolist() == [2]


@pytest.mark.parametrize("most", ["utf-8", "gb18030"])
def test_a_line_in_another_encoding_is_read_right_and_reported(tmp_path: Path, most: str) -> None:
    """Even where the whole would also be readable as one encoding, of another sense."""
    other = {"utf-8": "gb18030", "gb18030": "utf-8"}[most]
    lines = ["1,2024-03-05,来访,990102\n", "2,2024-03-06,来信,990102\n", "3,2024-03-07,网信,990102\n"]
    file = tmp_path / "petitions.csv"
    file.write_bytes(HEAD.encode(most) + b"".join(
        line.encode(other if k == 1 else most) for k, line in enumerate(lines)
    ))  # fmt: skip
    made = cases.load(file)
    assert made.petitions.channel.execute().tolist() == ["来访", "来信", "网信"]
    rejects = cases.check(made, "2024-12-31")
    odd = rejects[rejects["rule"] == "mixed_encoding"]
    assert odd["row"].tolist() == [2]
    assert odd["severity"].tolist() == ["提示"]


@pytest.mark.parametrize("separator", ["\t", ";", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    file = write(tmp_path / "petitions.csv", (HEAD + "1,2024-03-05,来访,990102\n").replace(",", separator))
    assert cases.load(file).petitions.count().execute() == 1


def test_a_line_with_too_many_cells_is_reported_and_the_rest_read(tmp_path: Path) -> None:
    file = write(
        tmp_path / "petitions.csv",
        HEAD + "1,2024-03-05,来访,990102\n2,2024-03-05,来访,990102,多,余\n3,2024-03-05,来访,990102\n",
    )
    made = cases.load(file)
    assert made.petitions.piece_id.execute().tolist() == ["1", "3"]
    rejects = cases.check(made, "2024-12-31")
    assert rejects.loc[rejects["rule"] == "broken_line", "row"].tolist() == [2]
    assert made.petitions._row.execute().tolist() == [1, 3]


def test_leading_zeros_and_long_ids_stay_text(tmp_path: Path) -> None:
    file = write(tmp_path / "petitions.csv", HEAD + "00012345678901234567,2024-03-05,来访,010203\n")
    row = cases.load(file).petitions.execute().iloc[0]
    assert (row["piece_id"], row["locality_code"]) == ("00012345678901234567", "010203")


# ---- Excel -------------------------------------------------------------------------------------------------------------


def test_excel_real_dates_serials_text_and_formulas(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "信访件"
    sheet.append(["某县信访件登记表"])
    sheet.append(["件编号", "登记日期", "渠道", "人次", "问题属地"])
    sheet.append(["a", dt.datetime(2024, 3, 5), "来访", 3, 990102])
    sheet.append(["b", 45356, "来信", 1, "990102"])
    sheet.append(["c", "2024/3/5", "网信", "=1+1", "990102"])
    sheet.append(["d", "2024年3月5日", "电话", 1, "990102"])
    sheet.append([None] * 5)
    book.save(tmp_path / "登记.xlsx")
    made = cases.load(tmp_path / "登记.xlsx")
    frame = made.petitions.execute()
    assert frame["registered_at"].tolist() == [pd.Timestamp("2024-03-05")] * 4
    assert frame["locality_code"].tolist() == ["990102"] * 4
    rejects = cases.check(made, "2024-12-31")
    formula = rejects[rejects["rule"].str.startswith("formula")].iloc[0]
    assert (formula["row"], formula["field"], formula["value"]) == (3, "人次", "=1+1")
    assert formula["rule"] == "formula_without_value"  # never calculated: unknown, not guessed


def test_sheets_of_one_workbook_are_tables(tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    with pd.ExcelWriter(file) as book:
        pd.DataFrame([{"piece_id": "1", "registered_at": "2024-03-05"}]).to_excel(
            book, sheet_name="petitions", index=False
        )
        pd.DataFrame([{"matter_id": "1", "registered_at": "2024-03-05"}]).to_excel(
            book, sheet_name="信访事项", index=False
        )
        pd.DataFrame([{"说明": "填表说明"}]).to_excel(book, sheet_name="说明", index=False)
    assert set(cases.load(file).tables) == {"petitions", "matters"}


# ---- folder, Parquet, metadata -----------------------------------------------------------------------------------------


def test_folder_with_metadata(sample: Path) -> None:
    made = cases.load(sample / "cases")
    assert made.simulated
    assert set(made.tables) == set(schema.tables())
    assert made.has("matters.due_at")
    assert not made.has("matters.fame")
    with pytest.raises(AttributeError):
        made.fame  # noqa: B018


def test_the_last_moment_ignores_dates_that_have_not_come(tmp_path: Path) -> None:
    file = write(tmp_path / "petitions.csv", HEAD + "1,2024-03-05,来访,\n2,2999-03-05,来访,\n")
    assert cases.load(file).extent == (dt.date(2024, 3, 5), dt.date(2024, 3, 5))


def test_metadata_states_the_as_of_date(tmp_path: Path) -> None:
    write(tmp_path / "petitions.csv", HEAD + "1,2024-03-05,来访,\n")
    (tmp_path / "metadata.json").write_text(json.dumps({"as_of": "2024-03-31", "simulated": True}))
    made = cases.load(tmp_path)
    assert made.simulated
    assert made.last_moment == dt.datetime.combine(dt.date(2024, 3, 31), dt.time.max)


# ---- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        "姓名",
        "信访人",
        "身份证号",
        "手机号",
        "联系电话",
        "家庭住址",
        "诉求内容",
        "留言用户",
        "留言详情",
        "来电号码",
        "petitioner_name",
        "street_name",
        "ID_CARD",
        "phone",
    ],
)
def test_a_column_that_names_a_person_is_refused(tmp_path: Path, column: str) -> None:
    file = write(tmp_path / "petitions.csv", f"件编号,登记日期,{column}\n1,2024-03-05,x\n")
    with pytest.raises(InputError, match="指向个人") as caught:
        cases.load(file)
    assert caught.value.value == column


def test_an_institution_may_have_a_name(tmp_path: Path) -> None:
    file = write(tmp_path / "matters.csv", "事项编号,登记日期,agency_name\n1,2024-03-05,x\n")
    assert cases.load(file).has("matters.registered_at")


def test_all_columns_that_name_persons_are_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "petitions.csv", "件编号,姓名,登记日期,住址\n1,甲,2024-03-05,x\n")
    with pytest.raises(InputError, match="指向个人") as caught:
        cases.load(file)
    assert caught.value.value == "姓名、住址"
    assert 'drop: ["姓名", "住址"]' in str(caught.value)


def test_what_stands_in_a_cell_betrays_it_too(tmp_path: Path) -> None:
    number = "110101" + "19900101" + "001X"
    file = write(tmp_path / "petitions.csv", f"件编号,登记日期,备注\n1,2024-03-05,{number}\n")
    with pytest.raises(InputError, match="身份证号"):
        cases.load(file)


def test_a_mapping_may_drop_it(tmp_path: Path) -> None:
    file = write(tmp_path / "petitions.csv", "件编号,登记日期,姓名\n1,2024-03-05,某\n")
    mapping = write(
        tmp_path / "m.yml", "version: '1'\nsource: 手写\ntables:\n  petitions:\n    drop: [姓名]\n"
    )
    assert "姓名" not in cases.load(file, mapping=mapping).petitions.columns


def test_a_mapping_beside_the_data_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path / "requests.csv", "单号,受理时间\n1,03/25/2024\n")
    body = "version: '1'\nsource: 手写\ntables:\n  matters:\n    dates: mdy\n    columns: "
    write(tmp_path / "mapping.yml", body + "{单号: matter_id, 受理时间: registered_at}\n")
    for source in (file, tmp_path):
        assert cases.load(source).extent == (dt.date(2024, 3, 25), dt.date(2024, 3, 25))
    other = write(tmp_path / "other.yml", body + "{单号: matter_id, 时间: registered_at}\n")
    with pytest.raises(InputError, match="时间"):
        cases.load(file, mapping=other)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("petitions.csv", "件编号,渠道\n1,来访\n", "registered_at"),
        ("petitions.csv", "", "空"),
        ("petitions.parquet", "not parquet", "Parquet"),
        ("petitions.doc", "x", "文件格式"),
        ("other.csv", "a,b\n1,2\n", "没有认出"),
        ("petitions.csv", "件编号,件编号,登记日期\n1,2,2024-03-05\n", "重复的列名"),
    ],
)
def test_unusable_input_is_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        cases.load(write(tmp_path / name, content))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="找不到"):
        cases.load(tmp_path / "nothing.csv")


def test_no_date_at_all_asks_for_one(tmp_path: Path) -> None:
    made = cases.load(write(tmp_path / "petitions.csv", HEAD + "1,,来访,\n"))
    with pytest.raises(RequestError, match="--as-of"):
        cases.indicators(made)


def test_dates_of_which_none_can_be_read_are_shown(tmp_path: Path) -> None:
    made = cases.load(write(tmp_path / "petitions.csv", HEAD + "1,03/25/2024,来访,\n"))
    with pytest.raises(RequestError, match="petitions.csv 的登记日期一个也读不出来.*03/25/2024.*dates: mdy"):
        cases.indicators(made)
    plan = write(tmp_path / "m.yml", "version: '1'\nsource: 手写\ntables:\n  petitions:\n    dates: mdy\n")
    told = cases.load(tmp_path / "petitions.csv", mapping=plan)
    assert told.extent == (dt.date(2024, 3, 25), dt.date(2024, 3, 25))
    assert cases.check(told).attrs["counts"]["unreadable_value"] == 0


# ---- databases ---------------------------------------------------------------------------------------------------------


def test_a_duckdb_file_by_url(tmp_path: Path) -> None:
    con = ibis.duckdb.connect(tmp_path / "x.duckdb")
    con.raw_sql(
        "CREATE TABLE matters AS SELECT '1' AS matter_id, DATE '2024-03-05' AS registered_at, NULL::DATE AS concluded_at"
    )
    con.disconnect()
    (tmp_path / "x.duckdb").chmod(0o444)
    before = (tmp_path / "x.duckdb").read_bytes()
    made = cases.load(f"duckdb://{tmp_path / 'x.duckdb'}")
    assert cases.indicators(made, only=["matters"])["value"].iloc[0] == 1
    made.close()
    assert (tmp_path / "x.duckdb").read_bytes() == before  # looked into, never written to


def test_a_duckdb_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="数据库"):
        cases.load(f"duckdb://{tmp_path / 'none.duckdb'}")
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="数据库") as caught:
        cases.load("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A throw-away PostgreSQL server of our own, owned by an unprivileged user."""
    pytest.importorskip("psycopg", reason="ibis reaches PostgreSQL through psycopg, which is not installed")
    tools = {
        name: shutil.which(name)
        or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
        for name in ("initdb", "pg_ctl")
    }
    if not all(tools.values()):
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, which are not on this machine")
    user = [] if os.getuid() else ["runuser", "-u", "nobody", "--"]
    if user and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root and there is no runuser to become another user")
    folder = Path("/tmp") / f"policy-brief-pg-{os.getpid()}"
    folder.mkdir(mode=0o700)
    if user:
        shutil.chown(folder, "nobody")
    data, port = folder / "data", 20000 + os.getpid() % 20000
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    try:
        subprocess.run(
            [*user, str(tools["initdb"]), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        subprocess.run(
            [
                *user,
                str(tools["pg_ctl"]),
                "-D",
                str(data),
                "-o",
                options,
                "-w",
                "-l",
                str(folder / "log"),
                "start",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL would not start: {(error.stderr or b'').decode()[-200:]}")
    yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*user, str(tools["pg_ctl"]), "-D", str(data), "-m", "immediate", "stop"],
        capture_output=True,
        cwd=folder,
    )
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.postgres
def test_postgresql_gives_what_duckdb_gives(postgres: str, sample: Path, tmp_path: Path) -> None:
    """The same indicators from the same rows, on a real server and embedded."""
    names = [
        "petitions",
        "matters",
        "supervision",
        "receptions",
        "obligations",
        "population",
        "preregistration",
    ]
    con = ibis.connect(postgres)
    only = [
        "pieces",
        "on_time",
        "resolved_once",
        "repeat",
        "open_stock",
        "open_ages",
        "time_to_reply",
        "reception_duty",
        "per_10k",
    ]
    embedded = cases.load(sample / "cases")
    for name in names:
        table = embedded.tables[name].drop("_row")
        if name in ("petitions", "matters"):
            table = table.filter(table.locality_code.isin(["990102", "990181"]))
        frame = table.execute()
        frame.to_parquet(tmp_path / f"{name}.parquet")
        con.create_table(name, table.to_pyarrow())
    here, there = cases.load(tmp_path), cases.load(postgres)
    for by in (None, "county"):
        a, b = (
            cases.indicators(made, "2024-03", as_of="2024-12-31", by=by, only=only, views=["本期"])
            for made in (here, there)
        )
        keys = ["indicator", "variant", "part_of", "region_code", "view"]
        a, b = (frame.sort_values(keys, ignore_index=True) for frame in (a, b))
        pd.testing.assert_frame_equal(a, b, check_dtype=False)
    lines = [
        cases.check(made, "2024-12-31").groupby(["table", "rule"]).size().to_dict() for made in (here, there)
    ]
    assert lines[0] == lines[1]
    there.close()
    con.disconnect()


def test_expressions_compile_for_trino_and_spark() -> None:
    """Everything the indicators ask of a database is plain SQL elsewhere too."""
    from analysis.cases import calendar, deadlines, duration, margins, registry

    asked: list[str] = []

    class Compiling:
        """A backend that only writes down what it is asked."""

        name = "elsewhere"

    def unbound(name: str) -> ibis.Table:
        kinds = {
            "text": "string",
            "date": "timestamp(6)",
            "int": "int64",
            "float": "float64",
            "bool": "boolean",
        }
        columns = schema.table(name).columns.values()
        return ibis.table({column.id: kinds[column.type] for column in columns}, name=name)

    made = cases.Cases(Compiling(), {name: unbound(name) for name in schema.tables()}, {}, {}, {})
    object.__setattr__(made, "systems", {"信访": 2, "12345": 1})
    object.__setattr__(made, "system", "信访")
    as_of = dt.datetime(2024, 12, 31, 23)
    for one in registry.indicators().values():
        for variant in one.variants.values():
            if one.kind in ("count", "share"):
                table = margins.snapshot(made, str(variant.table), as_of, columns=registry.needs(variant))
                measures = margins._Measures(table, str(variant.table), as_of, {str(variant.when): "month"})
                parts = measures.of(one, variant)
                cells = measures.cells(margins.keys(table, str(variant.table), None))
                asked.append(measures.sums(cells, ["month"], parts))
        if one.kind == "clock":
            clock = deadlines.clock(str(one.clock))
            asked.append(
                margins.cohort_query(
                    made, clock, as_of, None, [rule for rule in calendar.DAY_RULES if rule != clock.day_rule]
                )
            )
        if one.kind == "duration":
            asked.append(
                duration.query(
                    made, as_of, None, one.options["start"], one.options["stop"], one.options["leaves"]
                )
            )
    assert len(asked) > 60
    for dialect in ("trino", "pyspark"):
        for query in asked:
            assert str(ibis.to_sql(query, dialect=dialect)).startswith(("SELECT", "WITH"))


# ---- what was not known at a moment ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_dates_that_tell_of_what_came_later(tmp_path: Path, suffix: str) -> None:
    days = {"registered_at": ["2024-03-01", "2024-03-05"], "accepted_at": ["2024-03-09", None],
            "concluded_at": [None, None], "due_at": ["2099-01-01", None]}  # fmt: skip
    frame = pd.DataFrame({"matter_id": ["1", "2"], "system": "信访", "locality_code": "990102"})
    frame = frame.assign(**{name: pd.to_datetime(cells).date for name, cells in days.items()})
    file = tmp_path / f"matters.{suffix}"
    frame.to_csv(file, index=False) if suffix == "csv" else frame.to_parquet(file)
    tables = cases.load(file)
    last = dt.datetime(2024, 3, 9)
    assert tables.later("matters", last) == []  # nor is a deadline something that has happened
    assert tables.later("matters", last - dt.timedelta(seconds=1)) == ["accepted_at"]
    assert tables.later("matters", dt.datetime(2024, 3, 4)) == ["registered_at", "accepted_at"]
    known = margins.snapshot(tables, "matters", dt.datetime(2024, 3, 4)).execute()
    assert known[["matter_id", "accepted_at"]].isna().to_numpy().tolist() == [[False, True]]
    now = margins.snapshot(tables, "matters", last).execute().sort_values("matter_id")
    assert now["accepted_at"].tolist() == [pd.Timestamp(last), pd.NaT]
