// Tells who answered; `/?ms=5` keeps the event loop busy for 5 ms first.
import http from 'node:http'

const answer = `pid ${process.pid}`

http
  .createServer((request, response) => {
    const busyMs = Number(new URLSearchParams(request.url?.split('?')[1]).get('ms'))
    if (busyMs > 0) spin(busyMs)
    response.end(answer)
  })
  .listen(Number(process.env.PORT))

function spin(ms) {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}
