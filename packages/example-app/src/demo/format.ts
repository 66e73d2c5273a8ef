/** A number that is not known is a dash, never 0. */
const unknown = '–'

export const percent = (share: number | null): string => (share === null ? unknown : `${Math.round(share * 100)} %`)
export const count = (value: number | null): string => (value === null ? unknown : String(Math.round(value * 10) / 10))

export function duration(ms: number | null): string {
  if (ms === null) return unknown
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  return ms < 9_995 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** For powers of ten: `100 ms`, `1 s`. */
export const roundDuration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`)

/** The middle value; the lower of two. */
export function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null
}

export const shortened = (text: string, length: number): string => (text.length > length ? `${text.slice(0, Math.max(0, length - 1))}…` : text)
