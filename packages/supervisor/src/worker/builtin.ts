interface Builtins {
  'node:crypto': typeof import('node:crypto')
  'node:http': typeof import('node:http')
  'node:tls': typeof import('node:tls')
}

/** A module of Node when it is needed: a preload must not make every worker load what few use, and importing `node:http` loads all it re-exports. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name) as Builtins[Name]
}
