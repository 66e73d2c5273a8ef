import { readFileSync } from 'node:fs'
import { Router } from 'express'
import { workerLabel } from './worker-label.ts'

const html = readFileSync(new URL('page.html', import.meta.url), 'utf8')

export function pageRoutes(): Router {
  const router = Router()
  router.get('/', (_request, response) => {
    response.type('html').send(html.replaceAll('{{worker}}', workerLabel))
  })
  return router
}
