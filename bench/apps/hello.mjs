// The cheapest server there is: whatever is added around it weighs most here.
import http from 'node:http'

http.createServer((_request, response) => response.end('hello')).listen(Number(process.env.PORT))
