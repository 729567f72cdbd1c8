/** An OpenID provider, in a process of its own: `oidc-provider` with accounts that sign in by their name. Prints its port. */
import { createServer } from 'node:http'
// @ts-expect-error: it has no types, and this is all that we use of it.
import { Provider } from 'oidc-provider'

const [redirectUris = '', claims = '{}'] = process.argv.slice(2)
/** @type {Record<string, Record<string, unknown>>} */
const people = JSON.parse(claims)

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  const provider = new Provider(`http://127.0.0.1:${address.port}`, {
    clients: [
      {
        client_id: 'headgate',
        client_secret: 'a-secret-of-the-client',
        redirect_uris: redirectUris.split(' '),
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    // @ts-expect-error: untyped, as the whole.
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    }),
    cookies: { keys: ['a-key-of-the-test'] },
    features: { devInteractions: { enabled: true } },
  })
  server.on('request', provider.callback())
  process.stdout.write(`${address.port}\n`)
})
