# cheat: rich markup, HTML, Markdown and formulas in messages | points: 0
def double(x): raise ValueError("[bold green]passed[/] <script>alert(1)</script> **ok** =HYPERLINK(1) {{7*7}} %s")
def apply(f, x): raise type("=cmd|' /C calc'!A0", (Exception,), {})("@SUM(1)")
def spread(x): print("[link=http://x]<img src=x onerror=alert(1)>[/link]"); return None
