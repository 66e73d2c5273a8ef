export interface Settings {
  /** Short rounds, to see that everything works; the figures mean little. */
  readonly quick: boolean
  /** Measure PM2 as well. */
  readonly peers: boolean
}

export interface Outcome {
  readonly measured: string
  /** How far single rounds lay apart. */
  readonly spread: string
  readonly reached: boolean
  /** What others do, measured in this run; empty if nothing was. */
  readonly comparison: string
  /** Everything measured, for the JSON. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface Row {
  /** How it is called on the command line. */
  readonly name: string
  readonly title: string
  readonly must: string
  run(settings: Settings): Promise<Outcome>
}
