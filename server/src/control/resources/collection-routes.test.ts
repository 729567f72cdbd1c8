import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { mergePatch } from './merge-patch.ts'

const apis = '/workspaces/default/apis'

async function namesOf({ done }: TestControl, query: string): Promise<unknown[]> {
  const { items } = await done('GET', `${apis}?${query}`)
  return JSON.stringify(items).match(/(?<="spec":\{"name":")[^"]+/g) ?? []
}

test('the examples of RFC 7396 come out as the RFC says', () => {
  const examples = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ] as const
  for (const [target, patch, result] of examples) {
    expect(mergePatch(structuredClone(target) as never, structuredClone(patch) as never)).toEqual(result)
  }
})

describeOnEveryStore('a patch', (store) => {
  test('changes what it names, takes away what is null, and leaves the rest', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', apis, { name: 'books', owner: 'a@example.com', team: 'shop', labels: { tier: 'gold', x: '1' } })
    const patch = { owner: 'b@example.com', team: null, labels: { x: null, y: '2' } }
    const headers = { 'if-match': '"1"', 'content-type': 'application/merge-patch+json' }
    const { status, body, headers: fields } = await call('PATCH', `${apis}/books`, { body: patch, headers })
    const spec = { name: 'books', owner: 'b@example.com', labels: { tier: 'gold', y: '2' } }
    expect([status, fields.get('etag'), body['spec']]).toEqual([200, '"2"', spec])
  })

  test('needs If-Match, and loses to whoever changed the thing before', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', apis, { name: 'books' })
    const patch = (headers: Record<string, string>) =>
      call('PATCH', `${apis}/books`, { body: { team: 'shop' }, headers })
    expect((await patch({})).status).toBe(428)
    expect((await patch({ 'if-match': '"1"' })).status).toBe(200)
    expect((await patch({ 'if-match': '"1"' })).status).toBe(412)
  })

  test('of which many come at once each loses or counts whole', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', apis, { name: 'books', labels: {} })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const answers = await Promise.all(
      keys.map((key) =>
        call('PATCH', `${apis}/books`, { body: { labels: { [key]: '1' } }, headers: { 'if-match': '*' } }),
      ),
    )
    const won = keys.filter((_, at) => answers[at]?.status === 200)
    const { spec } = await done('GET', `${apis}/books`)
    expect(answers.every(({ status }) => status === 200 || status === 412)).toBe(true)
    expect(spec).toMatchObject({ labels: Object.fromEntries(won.map((key) => [key, '1'])) })
  })

  test('that leaves something invalid, renames the thing or names an unknown key is refused', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', '/workspaces/default/upstreams', { name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] })
    const patch = (body: unknown) =>
      call('PATCH', '/workspaces/default/upstreams/shop', { body, headers: { 'if-match': '*' } })
    for (const body of [{ targets: null }, { name: 'other' }, { name: null }, { id: 'x' }, { protocol: 'x' }]) {
      expect((await patch(body)).body['code']).toBe('admin.invalid')
    }
    expect(await done('GET', '/workspaces/default/upstreams/shop')).toMatchObject({ revision: 1 })
  })

  test('keeps secrets that it does not name', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    const headers = [{ name: 'authorization', value: 'Bearer top-secret' }]
    const upstream = { name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }], headers }
    await done('POST', '/workspaces/default/upstreams', upstream)
    const patch = { targets: [{ url: 'http://127.0.0.1:9002' }] }
    const answer = await done('PATCH', '/workspaces/default/upstreams/shop', patch, { 'if-match': '*' })
    expect(JSON.stringify(answer)).not.toContain('top-secret')
    const line = () => control.control.feed.treeOf('production')?.get('upstreams/shop') ?? ''
    await expect.poll(line).toContain('9002')
    expect(line()).toContain('top-secret')
  })
})

describeOnEveryStore('a list', (store) => {
  test('is filtered by labels, owner and team, exactly and by all that is asked for', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    await done('POST', apis, { name: 'a', team: 'payments', labels: { team: 'payments', tier: 'gold' } })
    await done('POST', apis, { name: 'b', team: 'Payments', labels: { team: 'payments-eu' } })
    await done('POST', apis, { name: 'c', owner: 'x@example.com', labels: { tier: 'gold', note: 'a"b\nlabel "x"' } })
    expect(await namesOf(control, 'label=team:payments')).toEqual(['a'])
    expect(await namesOf(control, 'label=team')).toEqual(['a', 'b'])
    expect(await namesOf(control, 'label=tier:gold')).toEqual(['a', 'c'])
    expect(await namesOf(control, 'label=team:payments,tier:gold')).toEqual(['a'])
    expect(await namesOf(control, 'label=x')).toEqual([])
    expect(await namesOf(control, 'team=payments')).toEqual(['a'])
    expect(await namesOf(control, 'owner=x@example.com&label=tier')).toEqual(['c'])
    expect((await control.call('GET', `${apis}?label=`)).status).toBe(422)
    await done('PATCH', `${apis}/a`, { labels: { team: null } }, { 'if-match': '*' })
    expect(await namesOf(control, 'label=team')).toEqual(['b'])
  })

  test('is paged through without gap or repetition in every order', async () => {
    const control = await testControl({ database: await store.open() })
    const names = ['d', 'a', 'e', 'c', 'b']
    for (const name of names) await control.done('POST', apis, { name, labels: { all: 'yes' } })
    for (const sort of ['name', '-name', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt']) {
      const found: string[] = []
      let cursor = ''
      do {
        const page = await control.done('GET', `${apis}?limit=2&sort=${sort}&label=all:yes${cursor}`)
        found.push(...(JSON.stringify(page['items']).match(/(?<="spec":\{"name":")[^"]+/g) ?? []))
        cursor = typeof page['next'] === 'string' ? `&cursor=${page['next']}` : ''
      } while (cursor !== '')
      expect(new Set(found), sort).toEqual(new Set(names))
      expect(found, sort).toHaveLength(names.length)
    }
  })
})
