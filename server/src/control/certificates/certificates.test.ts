import { expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const path = '/workspaces/default/certificates'
const DAY_MS = 86_400_000

/** Names of the certificates that the gateways of an environment would show, in order. */
function shown({ control }: TestControl, environment = 'production'): unknown {
  const line = control.feed.treeOf(environment)?.get('header') ?? '{}'
  const text = JSON.stringify(JSON.parse(line))
  return text.match(/(?<="names":\[)[^\]]*/g) ?? []
}

describeOnEveryStore('certificates', (store) => {
  test('reach the listeners of the gateways with their key, and leave them when they go', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = createCertificate('shop.example.com', { names: ['shop.example.com', '*.shop.example.com'] })
    const created = await control.call('POST', path, { body: { name: 'shop', chain: cert, key } })
    expect(created.status).toBe(201)
    await expect.poll(() => shown(control)).toEqual(['"shop.example.com","*.shop.example.com"'])
    expect(control.control.feed.treeOf('production')?.get('header')).toContain('PRIVATE KEY')
    await control.done('DELETE', `${path}/shop`, undefined, { 'if-match': '"1"' })
    await expect.poll(() => shown(control)).toEqual([])
  })

  test('never show their key again, nor keep it open in the store', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = createCertificate('a.example.com')
    const { body } = await control.call('POST', path, { body: { name: 'a', chain: cert, key } })
    const answers = [body, await control.done('GET', path), await control.done('GET', '/audit')]
    const rows = await control.database.read.selectFrom('resources').select('spec').execute()
    expect(JSON.stringify([answers, rows])).not.toContain('PRIVATE')
  })

  test('say what they are for and how long they count', async () => {
    const control = await testControl({ database: await store.open() })
    const states = { fresh: 90, near: 5, over: -0.01 }
    for (const [name, days] of Object.entries(states)) {
      const notAfter = new Date(Date.now() + days * DAY_MS)
      const { cert, key } = createCertificate(`${name}.example.com`, { names: [`${name}.example.com`], notAfter })
      await control.done('POST', path, { name, chain: cert, key })
    }
    const { items } = await control.done('GET', path)
    expect(items).toMatchObject([
      { status: { state: 'valid', names: ['fresh.example.com'], daysLeft: expect.any(Number) } },
      { status: { state: 'expiring' } },
      { status: { state: 'expired', daysLeft: -1 } },
    ])
  })

  test('with a key of another, a broken chain or no certificate at all are refused and change nothing', async () => {
    const control = await testControl({ database: await store.open() })
    const one = createCertificate('one.example.com')
    const two = createCertificate('two.example.com')
    const refusals = [
      { chain: one.cert, key: two.key, pointer: '/key' },
      { chain: one.cert, key: 'no key', pointer: '/key' },
      { chain: 'no certificate', key: one.key, pointer: '/chain' },
      { chain: one.cert + two.cert, key: one.key, pointer: '/chain' },
      { chain: one.cert.replace(/MII/, 'AAA'), key: one.key, pointer: '/chain' },
    ]
    for (const { chain, key, pointer } of refusals) {
      const { status, body } = await control.call('POST', path, { body: { name: 'x', chain, key } })
      expect([status, body['errors']]).toEqual([422, [{ pointer, detail: expect.any(String) }]])
    }
    expect((await control.done('GET', path))['items']).toEqual([])
  })

  test('of an authority come with what issued them', async () => {
    const control = await testControl({ database: await store.open() })
    const authority = createCertificate('Authority')
    const { cert, key } = createCertificate('a.example.com', { issuer: authority, names: ['a.example.com'] })
    await control.done('POST', path, { name: 'a', chain: cert + authority.cert, key })
    await expect.poll(() => shown(control)).toEqual(['"a.example.com"'])
  })

  test('are renewed in place, and stand beside those in the settings of the gateways', async () => {
    const control = await testControl({ database: await store.open() })
    const inline = createCertificate('inline.example.com', { names: ['inline.example.com'] })
    const settings = { tls: { certificates: [{ cert: inline.cert, key: inline.key }] } }
    await control.done('PUT', '/environments/production/gateway', settings, { 'if-match': '*' })
    const old = createCertificate('a.example.com', { names: ['a.example.com'] })
    await control.done('POST', path, { name: 'a', chain: old.cert, key: old.key })
    const renewed = createCertificate('a.example.com', { names: ['a.example.com'] })
    await control.done('PATCH', `${path}/a`, { chain: renewed.cert, key: renewed.key }, { 'if-match': '*' })
    await expect.poll(() => shown(control)).toEqual(['"inline.example.com"', '"a.example.com"'])
    const header = () => control.control.feed.treeOf('production')?.get('header') ?? ''
    await expect.poll(header).toContain(JSON.stringify(renewed.cert).slice(1, -1))
    expect(header()).not.toContain(JSON.stringify(old.cert).slice(1, -1))
  })

  test('may differ between environments, also in a new one', async () => {
    const control = await testControl({ database: await store.open() })
    const all = createCertificate('all.example.com', { names: ['all.example.com'] })
    const own = createCertificate('own.example.com', { names: ['own.example.com'] })
    await control.done('POST', path, { name: 'a', chain: all.cert, key: all.key })
    await control.done('POST', `${path}?environment=production`, { name: 'a', chain: own.cert, key: own.key })
    await control.done('POST', '/environments', { name: 'staging' })
    await expect.poll(() => shown(control)).toEqual(['"own.example.com"'])
    await expect.poll(() => shown(control, 'staging')).toEqual(['"all.example.com"'])
  })

  test('for a name that another workspace has one for are refused', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    const names = ['shop.example.com']
    const first = createCertificate('a', { names })
    const second = createCertificate('b', { names })
    await control.done('POST', path, { name: 'a', chain: first.cert, key: first.key })
    const body = { name: 'b', chain: second.cert, key: second.key }
    const { status, body: answer } = await control.call('POST', '/workspaces/red/certificates', { body })
    expect([status, answer['detail']]).toEqual([409, 'Another workspace has a certificate for shop.example.com.'])
  })

  test.each([
    { theirs: 'shop.example.com', wanted: '*.example.com', status: 409 },
    { theirs: '*.example.com', wanted: 'shop.example.com', status: 409 },
    { theirs: '*.example.com', wanted: 'SHOP.Example.com', status: 409 },
    { theirs: '*.example.com', wanted: 'a.shop.example.com', status: 201 },
    { theirs: '*.example.com', wanted: 'example.com', status: 201 },
    { theirs: '*.example.com', wanted: '*.shop.example.com', status: 201 },
  ])('for $wanted beside $theirs of another workspace: $status', async ({ theirs, wanted, status }) => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    const first = createCertificate('a', { names: [theirs] })
    await control.done('POST', path, { name: 'a', chain: first.cert, key: first.key })
    const second = createCertificate('b', { names: ['red.test', wanted] })
    const body = { name: 'b', chain: second.cert, key: second.key }
    const answer = await control.call('POST', '/workspaces/red/certificates', { body })
    expect(answer.status).toBe(status)
    if (status === 409) expect(answer.body['detail']).toBe(`Another workspace has a certificate for ${theirs}.`)
  })

  test('for a name of those in the settings of the gateways are refused, but one that was there before is renewed', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    const red = '/workspaces/red/certificates'
    const make = (name: string) => createCertificate(name, { names: [name] })
    const earlier = make('early.example.com')
    await control.done('POST', red, { name: 'early', chain: earlier.cert, key: earlier.key })
    const inline = make('*.example.com')
    const settings = { tls: { certificates: [{ cert: inline.cert, key: inline.key }] } }
    await control.done('PUT', '/environments/production/gateway', settings, { 'if-match': '*' })
    const other = make('api.example.com')
    const body = { name: 'api', chain: other.cert, key: other.key }
    for (const query of ['', '?environment=production']) {
      const { status, body: answer } = await control.call('POST', `${red}${query}`, { body })
      const detail = 'The settings of the gateways have a certificate for *.example.com.'
      expect([status, answer['detail']]).toEqual([409, detail])
    }
    const renewed = make('early.example.com')
    await control.done('PATCH', `${red}/early`, { chain: renewed.cert, key: renewed.key }, { 'if-match': '*' })
    await control.done('POST', '/environments', { name: 'staging' })
    await control.done('POST', `${red}?environment=staging`, body)
  })

  test('are shown for no name that they do not prove', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = createCertificate('cn.example.com', { names: ['a.example.com', '*.b.example.com'] })
    const give = (...names: string[]) => control.call('POST', path, { body: { name: 'a', chain: cert, key, names } })
    for (const name of ['shop.test', '*.example.com', 'cn.example.com', 'b.example.com', 'x.y.b.example.com']) {
      const { status, body } = await give('a.example.com', name)
      const errors = [{ pointer: '/names/1', detail: 'the certificate is not for this name' }]
      expect([name, status, body['errors']]).toEqual([name, 422, errors])
    }
    expect((await give('a.example.com', '*.b.example.com', 'x.b.example.com')).status).toBe(201)
  })

  test('take their key from a secret, and follow it', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = createCertificate('a.example.com', { names: ['a.example.com'] })
    await control.done('POST', '/workspaces/default/secrets', { name: 'tls-key', value: key })
    await control.done('POST', path, { name: 'a', chain: cert, key: '${secret:tls-key}' })
    await expect.poll(() => shown(control)).toEqual(['"a.example.com"'])
    const wrong = { body: { value: 'not this key' }, headers: { 'if-match': '*' } }
    expect((await control.call('PUT', '/workspaces/default/secrets/tls-key', wrong)).status).toBe(422)
  })
})
