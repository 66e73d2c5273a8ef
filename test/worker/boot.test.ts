import { spawnSync } from 'node:child_process'
import { isBuiltin } from 'node:module'
import { describe, expect, test } from 'vitest'

const register = new URL('../../packages/supervisor/src/register.ts', import.meta.url).href

/** Says what is imported from here on. */
const spy = `
import { registerHooks } from 'node:module'
import { writeSync } from 'node:fs'
registerHooks({ resolve: (specifier, context, next) => (writeSync(1, specifier + '\\n'), next(specifier, context)) })
`

describe('the preload', () => {
  test('brings nothing into the app but itself and what Node has anyway', () => {
    const hooks = `data:text/javascript,${encodeURIComponent(spy)}`
    const args = ['--no-warnings', '--import', hooks, '--import', register, '--eval', '']
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    const imported = stdout.split('\n').filter((line) => line !== '')
    expect(imported).toContain(register)
    expect(imported).toContain('node:cluster')
    expect(imported.filter((name) => name !== register && !name.startsWith('.') && !isBuiltin(name))).toEqual([])
    const rare = /pool|optional-package|socket-io|unsupervised|node:http|tls|inspector|worker_threads|child_process|perf_hooks/
    expect(imported.filter((name) => rare.test(name))).toEqual([])
  })
})
