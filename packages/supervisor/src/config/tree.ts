import { paths } from './table.ts'
import type { Path } from './values.ts'

/** The options as people nest them: a name leads to an option (its path) or to a group of more. */
export type Tree = ReadonlyMap<string, Path | Tree>

export const tree: Tree = branch('', paths)

function branch(prefix: string, below: readonly Path[]): Tree {
  const names = new Set(below.map((path) => path.slice(prefix.length).split('.')[0] as string))
  const leaf = (name: string): Path | undefined => below.find((path) => path === prefix + name)
  const inside = (name: string): Path[] => below.filter((path) => path.startsWith(`${prefix}${name}.`))
  return new Map([...names].map((name) => [name, leaf(name) ?? branch(`${prefix}${name}.`, inside(name))]))
}
