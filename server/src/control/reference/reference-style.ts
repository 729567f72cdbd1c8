/** How the reference page looks: from 360 pixels on, in light and dark, with contrasts of at least 4.5 to 1. */
export const REFERENCE_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de; --link: #0550ae;
  --get: #0a5c2b; --post: #0550ae; --put: #7d4e00; --delete: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #a4adb8; --paper: #0d1117; --card: #161b22; --line: #3d444d;
  --link: #79c0ff; --get: #7ee2a0; --post: #79c0ff; --put: #f0c674; --delete: #ffa198; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
header, .columns { max-width: 80rem; margin: 0 auto; padding: 1rem; }
header { padding-bottom: 0; }
h1 { margin: 0; font-size: 1.6rem; }
header p { margin: .25rem 0 0; color: var(--soft); }
h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem .75rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .25rem 0; }
main { min-width: 0; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; background: var(--card); }
summary { padding: .5rem .75rem; cursor: pointer; }
.call { font-weight: 600; }
.says { display: block; color: var(--soft); }
.method { display: inline-block; min-width: 4.5rem; }
.get { color: var(--get); } .post { color: var(--post); } .put, .patch { color: var(--put); } .delete { color: var(--delete); }
details > :not(summary) { margin-left: .75rem; margin-right: .75rem; }
details > p { margin-top: .25rem; }
dl { margin: 0 0 .75rem; }
dt { padding-top: .4rem; border-top: 1px solid var(--line); }
dd { margin: 0 0 .4rem; color: var(--soft); }
dd:empty { display: none; }
.type, .must { color: var(--soft); font-size: .9em; }
.must { color: var(--ink); font-weight: 600; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem; background: var(--paper); }
@media (min-width: 60rem) {
  .columns { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: 2rem; }
  nav { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); overflow-y: auto;
    scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
  nav ul { display: block; }
}
`
