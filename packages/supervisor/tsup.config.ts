import { defineConfig } from 'tsup'

// JavaScript only: the declarations are written by tsc.
export default defineConfig({
  entry: ['src/index.ts', 'src/worker.ts', 'src/register.ts', 'src/cli.ts'],
  format: 'esm',
  target: 'node22',
  platform: 'node',
  splitting: true,
  clean: true,
  sourcemap: false,
  dts: false,
})
