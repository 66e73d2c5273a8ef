import path from 'node:path'
import { expect, test } from 'vitest'
import { cycles, importDirection, packages, specifiersAreWhole } from './tidy/imports.ts'
import { type Source, parseSource, readSources } from './tidy/source.ts'
import { forbiddenSyntax, purity, sizes, typeImports, words } from './tidy/style.ts'

type Rule = (sources: readonly Source[]) => string[]
type Files = Readonly<Record<string, string>>

/** Each rule with files that it must find fault with, and files that it must let pass. */
const rules: Readonly<Record<string, { rule: Rule; bad: readonly Files[]; good: readonly Files[] }>> = {
  'imports run one way': {
    rule: importDirection,
    bad: [
      { 'policy/a.ts': "import { b } from '../fleet/b.ts'" },
      { 'policy/a.ts': "import type { B } from '../wire/b.ts'" },
      { 'fleet/a.ts': "import { b } from '../primary/b.ts'" },
      { 'wire/a.ts': "import type { B } from '../fleet/b.ts'" },
      { 'fleet/a.ts': "import type { B } from '../wire/b.ts'" },
      { 'config/a.ts': "export type A = import('../fleet/b.ts').B" },
      { 'worker/a.ts': "import type { B } from '../fleet/b.ts'" },
      { 'worker/a.ts': "import type { Logger } from '../primary/ports.ts'" },
      { 'operator/a.ts': "const b = await import('../primary/engine.ts')" },
      { 'telemetry/a.ts': "import { b } from '../operator/b.ts'" },
      { 'primary/a.ts': "import { b } from '../telemetry/b.ts'" },
      { 'simulator/a.ts': "import { b } from '../primary/ports.ts'" },
      { 'simulator/checkers.ts': "import type { Decision } from '../policy/decision.ts'" },
      { 'simulator/lease-books.ts': "import { grant } from '../policy/lease.ts'" },
      { 'simulator/judges.ts': "import type { Cluster } from '../policy/share.ts'" },
      { 'primary/a.ts': "import { b } from '../create-supervisor.ts'" },
      { 'errors.ts': "import { b } from './index.ts'" },
      { 'register.ts': "import { b } from './primary/b.ts'" },
      { 'attic/a.ts': "import { b } from '../policy/b.ts'" },
    ],
    good: [
      { 'fleet/a.ts': "import { b } from '../policy/b.ts'\nimport { E } from '../errors.ts'" },
      { 'operator/a.ts': "import type { Control } from '../primary/ports.ts'" },
      { 'create-supervisor.ts': "import { b } from './primary/b.ts'\nimport { c } from './operator/c.ts'" },
    ],
  },
  'no cycles, type-only included': {
    rule: cycles,
    bad: [
      {
        'policy/a.ts': "import type { B } from './b.ts'",
        'policy/b.ts': "import type { C } from './c.ts'",
        'policy/c.ts': "import { a } from './a.ts'",
      },
      { 'policy/a.ts': "import { a } from './a.ts'" },
    ],
    good: [
      { 'policy/a.ts': "import { c } from './c.ts'\nimport { b } from './b.ts'", 'policy/b.ts': "import { c } from './c.ts'", 'policy/c.ts': '' },
    ],
  },
  'pure folders use pure packages, and one file knows node:cluster': {
    rule: packages,
    bad: [
      { 'policy/a.ts': "import { readFileSync } from 'node:fs'" },
      { 'fleet/a.ts': "import type { Worker } from 'node:cluster'" },
      { 'wire/a.ts': "import pg from 'pg'" },
      { 'primary/a.ts': "import cluster from 'node:cluster'" },
    ],
    good: [{ 'primary/processes.ts': "import cluster from 'node:cluster'", 'policy/a.ts': "import { Cron } from 'croner'" }],
  },
  'specifiers end in .ts': {
    rule: specifiersAreWhole,
    bad: [{ 'policy/a.ts': "import { b } from './b.js'" }],
    good: [{ 'policy/a.ts': "import { b } from './b.ts'" }],
  },
  'no clock, chance, timer, console or process in pure folders': {
    rule: purity,
    bad: [
      'Date.now()',
      'new Date()',
      'Date()',
      'performance.now()',
      'Math.random()',
      "Math['random']()",
      'setTimeout(f, 1)',
      'console.log(1)',
      'process.env',
      'const f = setInterval',
      'const o = { process }',
      'globalThis.x',
    ].map((text) => ({ 'fleet/a.ts': text })),
    good: [
      { 'fleet/a.ts': 'new Date(nowMs); Math.max(1, 2); const o = { process: 1 }; o.process; interface A { readonly process: number }' },
      { 'primary/a.ts': 'Date.now(); console.log(1)' },
    ],
  },
  'no enum, namespace, parameter property, default export or barrel': {
    rule: forbiddenSyntax,
    bad: [
      { 'policy/a.ts': 'enum A { b }' },
      { 'policy/a.ts': 'namespace A { export const b = 1 }' },
      { 'policy/a.ts': 'class A { constructor(readonly b: number) {} }' },
      { 'policy/a.ts': 'export default 1' },
      { 'policy/index.ts': "export * from './a.ts'" },
      { 'policy/index.ts': "export { a } from './a.ts'" },
    ],
    good: [{ 'index.ts': "export { a } from './policy/a.ts'\nexport type { B } from './policy/b.ts'", 'policy/a.ts': 'export const a = 1' }],
  },
  'what is only a type is imported as a type': {
    rule: typeImports,
    bad: [
      { 'policy/a.ts': "import { B } from './b.ts'\nexport const a = (b: B): B => b" },
      { 'policy/a.ts': "import { b } from './b.ts'\nexport type A = typeof b" },
    ],
    good: [
      { 'policy/a.ts': "import { type B, b } from './b.ts'\nexport const a = (c: B): B => b as B" },
      { 'policy/a.ts': "import { b } from './b.ts'\nexport const a = { b }" },
      { 'policy/a.ts': "import { B } from './b.ts'\nexport class A extends B {}" },
    ],
  },
  'files and functions are small': {
    rule: sizes,
    bad: [
      { 'policy/a.ts': 'a\n'.repeat(251) },
      { 'policy/a.ts': `const f = () => {\n${'a\n'.repeat(69)}}` },
      { 'policy/a.ts': `class A { b() {\n${'a\n'.repeat(69)}} }` },
    ],
    good: [{ 'policy/a.ts': 'a\n'.repeat(250) }, { 'policy/a.ts': `function f() {\n${'a\n'.repeat(68)}}` }],
  },
  'one word per idea': {
    rule: words,
    bad: [
      { 'policy/a.ts': 'const masterPid = 1' },
      { 'policy/a.ts': 'interface A { readonly child: number }' },
      { 'policy/a.ts': 'const f = (instances: number) => 1' },
      { 'policy/a.ts': 'const node = 1' },
      { 'policy/child-list.ts': '' },
    ],
    good: [
      {
        'primary/a.ts':
          "import type { ChildProcess } from 'node:child_process'\nlet nodeOptions: NodeJS.Timeout; nodeOptions instanceof Error; const masterful = process.versions.node",
      },
    ],
  },
}

const parsed = (files: Files): Source[] => Object.entries(files).map(([file, text]) => parseSource(file, text))

for (const [name, { rule, bad, good }] of Object.entries(rules)) {
  test(`${name}: the rule bites`, () => {
    for (const files of bad) expect(rule(parsed(files)), JSON.stringify(files)).not.toEqual([])
    for (const files of good) expect(rule(parsed(files)), JSON.stringify(files)).toEqual([])
  })
}

test.for(Object.entries(rules))('%s: packages/supervisor/src keeps it', async ([, { rule }]) => {
  const sources = await readSources(path.join(import.meta.dirname, '../packages/supervisor/src'))
  expect(sources.length).toBeGreaterThan(50)
  expect(rule(sources)).toEqual([])
})
