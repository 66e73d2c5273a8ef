// A server with the boot of a real one: Express, as the example app has it. Tells who answered.
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../packages/example-app/package.json', import.meta.url))
const express = require('express')

const app = express()
app.get('/', (_request, response) => {
  response.send(`pid ${process.pid}`)
})
app.listen(Number(process.env.PORT))
