/**
 * Node's HTTP without what an `import` of it brings along: importing a built-in module reads every property of it, and one of
 * them (`WebSocket`) loads all that `fetch` is made of: 10 MB that a supervisor would carry for nothing.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http')
