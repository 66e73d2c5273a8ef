import { harmless } from './terminal.ts'

/** The command line that does the same once more, to be copied into a shell. */
export const showAgain = (...words: readonly string[]): string => `Show it again: stationmaster simulate ${words.map(asTyped).join(' ')}`

const asTyped = (word: string): string => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${harmless(word).replaceAll("'", String.raw`'\''`)}'`)

/** As the flag was given: once for each file. */
export const withConfigs = (files: readonly string[]): string[] => files.flatMap((file) => ['--config', file])
