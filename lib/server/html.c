#include "server/html.h"

/* `color-scheme` makes the browser's own parts follow; the palette follows by the media query. */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fbfaf8;--card:#fff;--ink:#1c1f24;--soft:#5d6470;--line:#e3e1dc;"
    "--link:#0a58ca;--good:#18794e;--bad:#b42318;--code:#f3f1ec}"
    "@media(prefers-color-scheme:dark){:root{--ground:#14161a;--card:#1c1f25;--ink:#e8e6e1;--soft:#9aa2af;"
    "--line:#30353d;--link:#7ab7ff;--good:#5fd19a;--bad:#ff8a80;--code:#14161a}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe "
    "UI',Roboto,"
    "'Noto Sans',sans-serif}"
    "main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 3rem}"
    "a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}"
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}"
    "h2{font-size:.8rem;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);margin:2.25rem 0 .75rem}"
    "p{margin:.25rem 0}.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}"
    "code,pre{font:.86rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
    "pre{margin:.5rem 0 0;padding:.45rem .7rem;background:var(--code);border:1px solid "
    "var(--line);border-radius:6px;"
    "white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0 0}"
    ".facts div,.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.75rem .9rem}"
    ".facts dt{font-size:.8rem;color:var(--soft)}.facts dd{margin:0;font-size:1.25rem;font-weight:600;"
    "font-variant-numeric:tabular-nums}dl{margin:0}"
    ".card+.card{margin-top:.75rem}.card h3{margin:0;font-size:1.05rem}.card h3 "
    ".soft{font-weight:400;font-size:.9rem}"
    "table{border-collapse:separate;border-spacing:0;width:100%;background:var(--card);border:1px solid "
    "var(--line);border-radius:8px}"
    "td,th{text-align:left;padding:.5rem .9rem;border-top:1px solid var(--line);vertical-align:top}"
    "tr:first-child>*{border-top:0}th{font-size:.8rem;color:var(--soft);font-weight:600}"
    ".links td:first-child{width:15rem}"
    ".processes td{padding-top:.35rem;padding-bottom:.35rem}.processes code{display:-webkit-box;"
    "-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;overflow-wrap:anywhere}.command{width:100%}"
    ".processes+p,.processes+p+p{margin-top:.75rem}"
    ".notices{list-style:none;margin:1.25rem 0 0;padding:0}.notices li{background:var(--card);border:1px solid "
    "var(--line);border-left:4px solid var(--bad);border-radius:8px;padding:.6rem .9rem;overflow-wrap:anywhere}"
    ".notices li+li{margin-top:.5rem}.notices .latent{border-left-color:var(--soft)}"
    ".notices .deadlock{font-size:1.1rem}.label{font-size:.8rem;padding:0 .4rem;border:1px solid var(--line);"
    "border-radius:4px;color:var(--soft);white-space:nowrap}"
    ".threads{margin:.5rem 0 0;font-size:.9rem}.threads td,.threads th{padding:.3rem .7rem}"
    ".threads tr:target{outline:2px solid var(--link)}"
    ".state{white-space:nowrap}.waits{width:100%;overflow-wrap:anywhere}summary{cursor:pointer;color:var(--link);"
    "margin-top:.5rem}"
    ".stack{margin:.75rem 0 0;padding-left:2rem;overflow-wrap:anywhere}.stack li::marker{color:var(--soft);"
    "font-size:.8rem}"
    "@media(max-width:40rem){main{padding:1.25rem .75rem 2rem}td,th{padding:.4rem .5rem}.wide{display:none}"
    ".front td:first-child::after{content:'front';display:block;font-size:.8rem;color:var(--soft)}"
    ".links td{display:block;border-top:0;padding:.1rem .9rem .5rem}.links td:first-child{width:auto;padding:.5rem "
    ".9rem 0}"
    ".links tr+tr td:first-child{border-top:1px solid var(--line)}}"
    ".number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "footer{margin-top:2.5rem;font-size:.85rem;color:var(--soft)}";

void ph_html_begin(struct ph_buf *out, const char *title)
{
    ph_buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    ph_buf_html(out, title);
    ph_buf_text(out, "</title>\n<style>");
    ph_buf_text(out, style);
    ph_buf_text(out, "</style>\n</head>\n<body>\n<main>\n");
}

void ph_html_end(struct ph_buf *out, const char *version)
{
    ph_buf_text(out, "<footer>Porthole ");
    ph_buf_html(out, version);
    ph_buf_text(out, ". This window only shows: nothing here changes the process.</footer>\n</main>\n</body>\n"
                     "</html>\n");
}

void ph_html_command(struct ph_buf *out, const char *command)
{
    ph_buf_text(out, "<pre>");
    ph_buf_html(out, command);
    ph_buf_text(out, "</pre>\n");
}
