// A small bookshop: the backend of the example. It knows nothing of Headgate; the gateway in front of it asks for keys
// and keeps the limits. Started by `headgate start`, or alone with `node examples/bookshop/server.ts`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'

interface Book {
  id: string
  title: string
  author: string
  year: number
}

interface Review {
  stars: number
  text: string
}

const books = new Map<string, Book>(
  [
    { id: '1', title: 'Middlemarch', author: 'George Eliot', year: 1871 },
    { id: '2', title: 'The Master and Margarita', author: 'Mikhail Bulgakov', year: 1967 },
    { id: '3', title: 'Things Fall Apart', author: 'Chinua Achebe', year: 1958 },
    { id: '4', title: 'The Dispossessed', author: 'Ursula K. Le Guin', year: 1974 },
  ].map((book) => [book.id, book]),
)
const reviews = new Map<string, Review[]>([['1', [{ stars: 5, text: 'Worth every page.' }]]])
const listeners = new Set<ServerResponse>()

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

function isBook(value: unknown): value is Omit<Book, 'id'> {
  if (typeof value !== 'object' || value === null) return false
  const { title, author, year } = value as Record<string, unknown>
  return typeof title === 'string' && typeof author === 'string' && Number.isInteger(year)
}

function isReview(value: unknown): value is Review {
  if (typeof value !== 'object' || value === null) return false
  const { stars, text } = value as Record<string, unknown>
  return Number.isInteger(stars) && typeof text === 'string'
}

function listBooks(response: ServerResponse, query: URLSearchParams): void {
  const all = [...books.values()]
  // A bulk read is the expensive one: everything at once, with the reviews.
  if (query.get('bulk') === '1') {
    return answer(response, 200, { books: all.map((book) => ({ ...book, reviews: reviews.get(book.id) ?? [] })) })
  }
  answer(response, 200, { books: all.slice(0, 3) })
}

function createBook(response: ServerResponse, body: unknown): void {
  if (!isBook(body)) return answer(response, 422, { message: 'A book has a title, an author and a year.' })
  const book = { id: String(books.size + 1), title: body.title, author: body.author, year: body.year }
  books.set(book.id, book)
  for (const listener of listeners) listener.write(`event: created\ndata: ${JSON.stringify(book)}\n\n`)
  answer(response, 201, book)
}

function createReview(response: ServerResponse, id: string, body: unknown): void {
  if (!isReview(body)) return answer(response, 422, { message: 'A review has stars and a text.' })
  const review = { stars: body.stars, text: body.text }
  reviews.set(id, [...(reviews.get(id) ?? []), review])
  answer(response, 201, review)
}

/** Server-sent events: the count of books at once, then each new book as it comes. */
function streamEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(`event: count\ndata: ${books.size}\n\n`)
  listeners.add(response)
  response.on('close', () => listeners.delete(response))
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bookshop')
  const [, , id, tail] = pathname.split('/')
  const body = request.method === 'POST' ? await json(request) : undefined
  const operation = `${request.method} ${pathname}`
  if (operation === 'GET /health') return answer(response, 200, { status: 'up' })
  if (operation === 'GET /books/events') return streamEvents(response)
  if (operation === 'GET /books') return listBooks(response, searchParams)
  if (operation === 'POST /books') return createBook(response, body)
  const book = books.get(id ?? '')
  if (!pathname.startsWith('/books/') || !book)
    return answer(response, 404, { message: 'There is no such thing here.' })
  if (request.method === 'GET' && tail === undefined) return answer(response, 200, book)
  if (request.method === 'GET' && tail === 'reviews')
    return answer(response, 200, { reviews: reviews.get(book.id) ?? [] })
  if (request.method === 'POST' && tail === 'reviews') return createReview(response, book.id, body)
  answer(response, 404, { message: 'There is no such thing here.' })
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => answer(response, 400, { message: 'The body is not JSON.' }))
})
server.listen(Number(process.env['PORT'] ?? 9001), '127.0.0.1')
process.once('SIGTERM', () => {
  for (const listener of listeners) listener.end()
  server.close()
  server.closeIdleConnections()
})
