import { appRows, surroundingRows } from './rows.ts'
import { lifeRows } from './rows-life.ts'
import { scalingRows } from './rows-scaling.ts'
import type { Path, Rows, Values } from './values.ts'

/** The one table of options: validation, JSON Schema, flags, environment and the documentation all come from it. */
export const table: Rows<Values> = { ...appRows, ...lifeRows, ...scalingRows, ...surroundingRows }

export const paths: readonly Path[] = Object.keys(table) as Path[]
