import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { act, answering, deployLatest, publish, route, shares, show } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const byHand = { strategy: 'canary', plan: { steps: [{ percent: 10 }, { percent: 50 }] } }

async function liveAndNext(control: TestControl, how: object) {
  await publish(control, answering('old'))
  const old = await deployLatest(control)
  await publish(control, answering('new', [route('fresh')]))
  return { old, fresh: await deployLatest(control, how) }
}

async function claims({ database }: TestControl): Promise<string[]> {
  const rows = await database.read.selectFrom('route_claims').select('claim').orderBy('claim').execute()
  return rows.map(({ claim }) => claim)
}

describeOnEveryStore('a canary', (store) => {
  test('stands beside the old revision with its share, and takes more of it when promoted', async () => {
    const control = await testControl({ database: await store.open() })
    const { old, fresh } = await liveAndNext(control, byHand)
    expect([fresh.state, fresh.percent]).toEqual(['progressing', 10])
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
    expect((await act(control, fresh.id, 'promote', { percent: 50 })).percent).toBe(50)
    expect(await shares(control)).toEqual({ old: 50, new: 50 })
    expect((await show(control, old.id)).percent).toBe(50)
    expect((await act(control, fresh.id, 'promote')).state).toBe('active')
    expect(await shares(control)).toEqual({ new: 100 })
    expect((await show(control, old.id)).state).toBe('superseded')
  })

  test('changes only a line of each revision when its share grows', async () => {
    const control = await testControl({ database: await store.open() })
    const { fresh } = await liveAndNext(control, byHand)
    const seq = async () =>
      control.database.read.selectFrom('snapshot_lines').select(['key', 'seq']).orderBy('key').execute()
    const before = new Map((await seq()).map((row) => [row.key, row.seq]))
    await act(control, fresh.id, 'promote', { percent: 50 })
    const changed = (await seq()).filter((row) => before.get(row.key) !== row.seq).map(({ key }) => key)
    expect(changed).toEqual(['apis/books/1', `apis/books/1~${fresh.id}`])
  })

  test('is gone after an abort, and after a rollback of it', async () => {
    const control = await testControl({ database: await store.open() })
    const { old, fresh } = await liveAndNext(control, byHand)
    expect((await act(control, fresh.id, 'abort', { reason: 'looks odd' })).reason).toBe('looks odd')
    expect(await shares(control)).toEqual({ old: 100 })
    expect((await show(control, old.id)).percent).toBe(100)
    const again = await deployLatest(control, byHand)
    expect((await act(control, again.id, 'rollback')).state).toBe('rolled-back')
    expect(await shares(control)).toEqual({ old: 100 })
  })

  test('can be undone after it was promoted', async () => {
    const control = await testControl({ database: await store.open() })
    const { fresh } = await liveAndNext(control, byHand)
    await act(control, fresh.id, 'promote')
    await act(control, fresh.id, 'rollback')
    expect(await shares(control)).toEqual({ old: 100 })
  })

  test('claims its routes beside those of the old revision, and gives them back', async () => {
    const control = await testControl({ database: await store.open() })
    const { fresh } = await liveAndNext(control, byHand)
    expect(await claims(control)).toEqual(['* */books/fresh', '* */books/x'])
    await act(control, fresh.id, 'abort')
    expect(await claims(control)).toEqual(['* */books/x'])
  })

  test('refuses another deployment of its version until it is decided', async () => {
    const control = await testControl({ database: await store.open() })
    await liveAndNext(control, byHand)
    const body = { api: 'books', version: '1' }
    const { status, body: problem } = await control.call('POST', '/workspaces/default/deployments', { body })
    expect([status, problem['code']]).toEqual([409, 'deployment.in_progress'])
  })

  test('is a direct deployment where nothing is live yet', async () => {
    const control = await testControl({ database: await store.open() })
    await publish(control, answering('first'))
    expect((await deployLatest(control, byHand)).state).toBe('active')
    expect(await shares(control)).toEqual({ first: 100 })
  })

  test('keeps its share when what it is compiled with changes', async () => {
    const control = await testControl({ database: await store.open() })
    await liveAndNext(control, byHand)
    const settings = { policies: [{ kind: 'request-size', config: { maxBodyBytes: 100 } }] }
    const path = '/workspaces/default'
    const { etag } = Object.fromEntries((await control.call('GET', path)).headers)
    await control.done('PUT', path, { title: 'Default', settings }, { 'if-match': etag ?? '*' })
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
    const lines = await control.database.read.selectFrom('snapshot_lines').select(['key', 'line']).execute()
    const apis = lines.filter(({ key }) => key.startsWith('apis/books/1'))
    expect(apis.map(({ line }) => line.includes('request-size'))).toEqual([true, true])
  })

  test('of steps that do not grow, or a plan without effect, is refused with a pointer', async () => {
    const control = await testControl({ database: await store.open() })
    await publish(control, answering('first'))
    for (const [how, pointer] of [
      [{ strategy: 'canary', plan: { steps: [{ percent: 50 }, { percent: 50 }] } }, '/plan/steps/1/percent'],
      [{ plan: {} }, '/plan'],
    ] as const) {
      const body = { api: 'books', version: '1', ...how }
      const { status, body: problem } = await control.call('POST', '/workspaces/default/deployments', { body })
      expect([status, JSON.stringify(problem['errors'])]).toEqual([422, expect.stringContaining(`"${pointer}"`)])
    }
  })
})

describeOnEveryStore('blue and green', (store) => {
  test('both are in place, and one call switches and one switches back', async () => {
    const control = await testControl({ database: await store.open() })
    const { old: blue, fresh: green } = await liveAndNext(control, { strategy: 'blue-green' })
    expect([green.state, await shares(control)]).toEqual(['standby', { old: 100, new: 0 }])
    expect((await act(control, green.id, 'switch')).state).toBe('active')
    expect(await shares(control)).toEqual({ old: 0, new: 100 })
    expect((await act(control, blue.id, 'switch')).state).toBe('active')
    expect(await shares(control)).toEqual({ old: 100, new: 0 })
    expect((await show(control, green.id)).state).toBe('standby')
  })

  test('after a switch the one that stands ready can be taken away, or be replaced by the next', async () => {
    const control = await testControl({ database: await store.open() })
    const { old: blue, fresh: green } = await liveAndNext(control, { strategy: 'blue-green' })
    await act(control, green.id, 'switch')
    await publish(control, answering('next'))
    const next = await deployLatest(control, { strategy: 'blue-green' })
    expect((await show(control, blue.id)).state).toBe('superseded')
    expect(await shares(control)).toEqual({ new: 100, next: 0 })
    await act(control, next.id, 'abort')
    expect(await shares(control)).toEqual({ new: 100 })
  })

  test('a direct deployment ends both', async () => {
    const control = await testControl({ database: await store.open() })
    const { old: blue, fresh: green } = await liveAndNext(control, { strategy: 'blue-green' })
    await act(control, green.id, 'switch')
    await publish(control, answering('third'))
    await deployLatest(control)
    expect(await shares(control)).toEqual({ third: 100 })
    const states = [(await show(control, blue.id)).state, (await show(control, green.id)).state]
    expect(states).toEqual(['superseded', 'superseded'])
  })

  test('nothing is switched, promoted or aborted that does not stand beside another', async () => {
    const control = await testControl({ database: await store.open() })
    await publish(control, answering('old'))
    const { id } = await deployLatest(control)
    for (const verb of ['switch', 'promote', 'abort']) {
      const path = `/workspaces/default/deployments/${id}/${verb}`
      const { status, body } = await control.call('POST', path, { body: {} })
      expect([verb, status, body['code']]).toEqual([verb, 409, 'deployment.wrong_state'])
    }
  })
})
