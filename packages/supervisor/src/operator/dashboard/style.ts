import { palette } from '../../simulator/report-style.ts'

/** For a wall, a desk and a phone. */
export const style: string = `${palette}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 110rem; padding: 1.2rem clamp(.8rem, 2vw, 2rem) 3rem; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums }
h1 { margin: 0; font-size: 1.5rem; display: flex; flex-wrap: wrap; align-items: center; gap: .6rem } h2 { margin: 0 0 .6rem; font-size: 1.05rem }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: start; gap: .4rem 1.5rem; margin-bottom: 1rem } header p { margin: .25rem 0 0; color: var(--quiet); overflow-wrap: anywhere }
#live { display: inline-flex; align-items: center; gap: .45rem; padding-top: .4rem } #live::before { content: ''; width: .6rem; height: .6rem; border-radius: 50%; background: var(--quiet) }
#live.on::before { background: var(--green) } #live.off { color: var(--red); font-weight: 600 } #live.off::before { background: var(--red) }
.quiet, small { color: var(--quiet) } small { display: block; font-size: .78rem } .quiet { font-size: .88rem } ul.quiet { padding-left: 1.1rem; margin-bottom: 0 }
.state { display: inline-block; font-size: .8rem; font-weight: 600; padding: .08rem .6rem; border-radius: 1rem; border: 1px solid currentColor; color: var(--quiet) }
.state.running, .state.ready { color: var(--green) } .state.starting, .state.booting { color: var(--cyan) } .state.draining, .state.manual, .state.shadow { color: var(--orange) } .state.killing, .state.stopped { color: var(--red) }
.alert { margin: 0 0 .6rem; padding: .55rem .9rem; border-left: 4px solid var(--orange); background: var(--card); border-radius: 0 8px 8px 0 }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: .7rem }
#tiles div, .card, figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px }
#tiles div { padding: .65rem .9rem } #tiles span { color: var(--quiet); font-size: .85rem } #tiles strong { display: block; font-size: 1.7rem; line-height: 1.2; font-weight: 600; white-space: nowrap }
.card { padding: .9rem 1rem; margin-top: .8rem; min-width: 0 } .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 .8rem; align-items: start }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); gap: .8rem; margin-top: .8rem }
figure { margin: 0; padding: .7rem .6rem .3rem; min-width: 0 } figcaption { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0 .5rem .3rem; font-size: .9rem } figcaption > b { margin-right: auto }
.key { color: var(--quiet) } .key b { color: var(--text) } .key::before { content: ''; display: inline-block; width: .65rem; height: .65rem; margin-right: .4rem; border-radius: 2px; background: currentColor }
.key.blue::before { color: var(--blue) } .key.green::before { color: var(--green) } .key.orange::before { color: var(--orange) } .key.red::before { color: var(--red) } .key.purple::before { color: var(--purple) } .key.cyan::before { color: var(--cyan) }
figure svg { display: block; width: 100%; height: auto } figure .wide { direction: rtl } figure svg { direction: ltr } figure svg text { font: 15px system-ui, sans-serif; fill: var(--quiet) }
.grid { stroke: var(--line) } .curve { fill: none; stroke-width: 2.4; stroke-linejoin: round } .dashed { stroke-dasharray: 3 5 } .area { opacity: .12 } .cursor { display: none }
.mark line { stroke: var(--mark); stroke-dasharray: 2 3; opacity: .45 } .mark circle { fill: var(--mark) } figure svg .mark text { fill: var(--onmark); font-weight: 700; font-size: 13px }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% } th, td { padding: .35rem .9rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: normal }
thead th { color: var(--quiet); font-size: .84rem } tbody th { font-weight: 600 } tbody th small { font-weight: normal } tfoot th, tfoot td { color: var(--quiet); font-size: .84rem; border-bottom: 0 } .above { color: var(--red); font-weight: 600 } abbr { text-decoration: none }
.bar { display: block; width: 5.5rem; max-width: 100%; height: 4px; margin-top: .2rem; background: var(--line); border-radius: 2px } .under { fill: var(--green) } .over { fill: var(--red) } .bar line { stroke: var(--text); stroke-width: 2 }
.step { margin: 0 0 .5rem } .held { display: block; color: var(--orange) } .decisions { list-style: none; margin: 0; padding: 0; max-height: 19rem; overflow-y: auto }
.decisions li { display: grid; grid-template-columns: 5.2rem 9.5rem 1fr; gap: .1rem .8rem; padding: .4rem 0; border-bottom: 1px solid var(--line) } .decisions time { color: var(--quiet) } .up { color: var(--green) } .down { color: var(--blue) }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .5rem; margin: 0 0 .8rem } dl div { display: flex; flex-direction: column } dt { color: var(--quiet); font-size: .84rem } dd { margin: 0; font-size: 1.25rem; font-weight: 600 }
pre { overflow-x: auto; margin: 0; padding: .7rem; background: var(--span); border-radius: 6px; font-size: .82rem } :focus-visible { outline: 2px solid var(--blue); outline-offset: 2px }
@media (max-width: 44rem) {
  #tiles { grid-template-columns: 1fr 1fr } #tiles strong { font-size: 1.4rem } figure svg { min-width: 40rem } .decisions li { grid-template-columns: 5.2rem 1fr } .decisions li > span { grid-column: 1 / -1 }
  .workers, .workers tbody, .workers tfoot { display: block } .workers thead { display: none } .workers tr { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: .3rem .8rem; padding: .6rem 0; border-bottom: 1px solid var(--line) }
  .workers th, .workers td { border: 0; padding: 0; white-space: normal } .workers tr > th { grid-column: 1 / -1 } .workers td::before { content: attr(data-title); display: block; color: var(--quiet); font-size: .78rem; font-weight: normal } .workers tfoot td:empty { display: none }
}
`
