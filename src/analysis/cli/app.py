"""The command tree: one file a noun (corpus, facts, text, cases, effects), the verbs of briefs at the top."""

from __future__ import annotations

import typer

from . import briefs, cases, corpus, effects, facts, text

app = typer.Typer(
    name="policy-brief",
    help="信访工作法治化：政策文本与信访数据的研究笔记本和可复核简报。",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich would double the start-up time
    pretty_exceptions_enable=False,
)
app.add_typer(corpus.app, name="corpus", help="语料：读取、清洗、切分、描述政策文本")
app.add_typer(text.app, name="text", help="文本：编码、提法、引用、对比、扩散")
app.add_typer(facts.app, name="facts", help="数字：从文字中提取、核对、成序列")
app.add_typer(cases.app, name="cases", help="案件数据：校验、指标、比较、模拟")
app.add_typer(effects.app, name="effects", help="政策效果：设计与估计")
briefs.add_to(app)
