import type { Kind } from './kind.ts'

/** One option. */
export interface Row<T> {
  readonly kind: Kind<T>
  /** What holds where nothing is given, in the notation of a config file. Without it the value is `null`. */
  readonly initial?: unknown
  /** The default as documented, where `initial` does not say it. */
  readonly shown?: string
  /** One sentence for the documentation, without the full stop. */
  readonly meaning: string
  /** The environment variable that is asked where nothing is given. */
  readonly environment?: string
  /** What the variable holds may be meant for the app alone (a database of another make); then it counts as absent. */
  readonly ignoresForeign?: true
  /** The CLI flag that wins over the config file. */
  readonly flag?: string
  /** Its values are never printed. */
  readonly secret?: true
  /** Nothing that JSON could say. */
  readonly codeOnly?: true
  /** Valid, but for tests and demonstrations: not in the documentation. */
  readonly hidden?: true
}
