/** Colours, light and dark as the reader's system has it. */
export const palette: string = `
:root { color-scheme: light dark; --back: #fbfbf9; --card: #fff; --text: #1d2125; --quiet: #5d6670; --line: #0000001a; --span: #1d21250a; --mark: #1d2125; --onmark: #fff;
  --blue: #2266b5; --green: #2b7f4f; --orange: #b45f06; --red: #bb3a2a; --purple: #7a49ad; --cyan: #177482; --yellow: #b8930f }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --card: #1b1f23; --text: #e4e7ea; --quiet: #98a2ad; --line: #ffffff1f; --span: #ffffff0d; --mark: #dfe3e8; --onmark: #14171a;
  --blue: #6fb1ff; --green: #5fca8c; --orange: #f0a75a; --red: #ff8273; --purple: #c49bf5; --cyan: #5cc8d6; --yellow: #e3c04d } }
`

/** No fonts or pictures from elsewhere. */
export const style: string = `${palette}
* { box-sizing: border-box }
body { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1rem 4rem; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; letter-spacing: -.01em } h2 { margin: 2.5rem 0 .5rem; font-size: 1.1rem }
header p, .quiet { margin: .3rem 0 0; color: var(--quiet) } .quiet { margin-top: 2rem; font-size: .87rem; max-width: 46rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem; margin: 1.6rem 0 1.2rem }
.tiles div, figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px }
.tiles div { padding: .7rem .9rem; color: var(--quiet); font-size: .87rem } .tiles strong { display: block; color: var(--text); font-size: 1.55rem; line-height: 1.25; font-weight: 600 }
.phases { display: flex; flex-wrap: wrap; gap: .7rem; margin: 0 0 1.6rem; padding: 0; list-style: none; font-size: .87rem; color: var(--quiet) }
.phases li { flex-basis: 11rem; border-top: 3px solid var(--line); padding-top: .35rem } .phases li:nth-child(even) { border-color: var(--orange) } .phases b { display: block; color: var(--text) }
figure { margin: .7rem 0; padding: .7rem .6rem .3rem; overflow-x: auto } figcaption { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0 .5rem .2rem; font-size: .9rem }
figcaption b { font-weight: 600; margin-right: auto } figcaption span { color: var(--quiet) } figcaption span::before { content: ''; display: inline-block; width: .65rem; height: .65rem; margin-right: .4rem; border-radius: 2px; background: var(--key) }
output { display: inline-block; min-width: 4.2rem; color: var(--text) } output:empty { min-width: 0 }
svg { display: block; width: 100%; min-width: 560px; height: auto } svg text { font: 11.5px system-ui, sans-serif; fill: var(--quiet) }
.grid { stroke: var(--line) } .span0 { fill: none } .span1 { fill: var(--span) } .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round } .dashed { stroke-dasharray: 2 4; opacity: .65 } .area { opacity: .13 }
.mark line { stroke: var(--mark); stroke-dasharray: 2 3; opacity: .55 } .mark circle { fill: var(--mark) } svg .mark text { fill: var(--onmark); font-weight: 600; font-size: 10.5px } .cursor { stroke: var(--text); opacity: .5; pointer-events: none }
.mark:focus { outline: none } .mark:focus circle { stroke: var(--blue); stroke-width: 3 } #tip { position: fixed; max-width: min(28rem, calc(100vw - 16px)); padding: .45rem .7rem; border-radius: 6px; background: var(--mark); color: var(--onmark); font-size: .85rem; white-space: pre-line; pointer-events: none }
.wide { overflow-x: auto } table { border-collapse: collapse } th, td { padding: .28rem 1.6rem .28rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) } th { font-weight: normal; color: var(--quiet) }
td:nth-child(2), td:nth-child(3) { white-space: nowrap } td i { display: inline-block; width: 1.3rem; border-radius: 1rem; background: var(--mark); color: var(--onmark); font: 600 .72rem/1.3rem system-ui, sans-serif; text-align: center }
`
