import { expect, test } from 'vitest'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { act, answering, deployLatest, publish, shares, show, type Shown } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../db/client.ts'
import { ReleaseKeeper } from './release-keeper.ts'

const plan = {
  steps: [
    { percent: 10, pauseSeconds: 60 },
    { percent: 50, pauseSeconds: 60 },
  ],
}

class HeldClock implements Clock {
  private ms = Date.parse('2026-01-01T00:00:00Z')
  now(): number {
    return this.ms
  }
  monotonicMs(): number {
    return this.ms
  }
  pass(seconds: number): void {
    this.ms += seconds * 1000
  }
}

interface Scene {
  readonly control: TestControl
  readonly clock: HeldClock
  readonly keeper: ReleaseKeeper
  readonly old: Shown
  readonly fresh: Shown
  /** A gateway of production says what it counted. */
  readonly report: (slot: number, fresh: readonly [number, number], old: readonly [number, number]) => Promise<void>
}

async function canaryScene(store: TestStore, how: object = { strategy: 'canary', plan }): Promise<Scene> {
  const clock = new HeldClock()
  const database = await store.open()
  const control = await testControl({ database, clock })
  await publish(control, answering('old'))
  const old = await deployLatest(control)
  await publish(control, answering('new'))
  const fresh = await deployLatest(control, how)
  const token = await joinedGateway(control, 'production')
  const report: Scene['report'] = async (slot, freshCounts, oldCounts) => {
    clock.pass(1)
    await reportCounts(control, token, slot, [
      [fresh.id, freshCounts],
      [old.id, oldCounts],
    ])
  }
  return { control, clock, keeper: keeperOf(control), old, fresh, report }
}

function keeperOf({ control }: TestControl): ReleaseKeeper {
  return new ReleaseKeeper(control)
}

async function joinedGateway({ done, call }: TestControl, environment: string): Promise<string> {
  const { token } = await done('POST', '/gateways/join-tokens', { environment })
  const { body } = await call('POST', '/gateway/join', { body: { name: environment, token } })
  return textOf(body['token'])
}

async function reportCounts(
  { call }: TestControl,
  token: string,
  slot: number,
  list: readonly (readonly [string, readonly [number, number]])[],
): Promise<void> {
  const counts = list.map(([deployment, [requests, errors]]) => {
    return { deployment, requests, errors, latency: [60, requests] }
  })
  const body = { version: '1', root: '', workers: 1, ready: true, deployments: { slot, counts } }
  const { status } = await call('POST', '/gateway/report', { token, body })
  expect(status).toBe(200)
}

/** Another API than that of the scene. */
function filmsAnswering(body: string): object {
  return { ...answering(body), basePath: '/films' }
}

/** Of the canaries. */
async function statesOf(database: Database) {
  const rows = await database.read
    .selectFrom('deployments')
    .select(['id', 'state'])
    .where('strategy', '=', 'canary')
    .execute()
  return Object.fromEntries(rows.map(({ id, state }) => [id, state]))
}

async function auditOf(database: Database, action: string) {
  return database.read.selectFrom('audit').selectAll().where('action', '=', action).execute()
}

describeOnEveryStore('the keeper of releases', (store) => {
  test('takes a good canary from step to step to everybody', async () => {
    const { control, clock, keeper, old, fresh, report } = await canaryScene(store)
    await report(1, [60, 0], [540, 0])
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
    clock.pass(61)
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 50, new: 50 })
    clock.pass(61)
    await keeper.look()
    // Requests of the step before do not count for this one.
    expect(await shares(control)).toEqual({ old: 50, new: 50 })
    await report(2, [300, 0], [300, 0])
    await keeper.look()
    expect(await shares(control)).toEqual({ new: 100 })
    expect([(await show(control, fresh.id)).state, (await show(control, old.id)).state]).toEqual([
      'active',
      'superseded',
    ])
  })

  test('rolls a canary back that is worse, with the numbers on it and in the audit', async () => {
    const { control, keeper, fresh, report } = await canaryScene(store)
    await report(1, [100, 40], [900, 3])
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 100 })
    const shown = await show(control, fresh.id)
    expect([shown.state, shown.percent]).toEqual(['rolled-back', 0])
    expect(shown.reason).toContain('40 % of the answers were errors, with the old revision 0.3 %')
    const [entry] = await auditOf(control.database, 'rollBackCanary')
    expect([entry?.actor, entry?.target_id]).toEqual(['installation', fresh.id])
    expect(entry?.after).toContain('40 %')
    expect((await control.done('GET', '/audit/verification'))['whole']).toBe(true)
  })

  test('counts a report once that comes twice, and adds up gateways', async () => {
    const { control, fresh, old, report } = await canaryScene(store)
    await report(1, [10, 1], [90, 2])
    await report(1, [10, 1], [90, 2])
    const other = await joinedGateway(control, 'production')
    await reportCounts(control, other, 1, [[fresh.id, [5, 0]]])
    const { counts } = (await show(control, fresh.id)).body
    expect(counts).toMatchObject({
      fresh: { deployment: fresh.id, requests: 15, errors: 1 },
      old: { deployment: old.id, requests: 90, errors: 2 },
    })
  })

  test('a gateway of another environment has no say', async () => {
    const { control, clock, keeper, fresh, old } = await canaryScene(store)
    clock.pass(1)
    await control.done('POST', '/environments', { name: 'staging' })
    const token = await joinedGateway(control, 'staging')
    await reportCounts(control, token, 1, [
      [fresh.id, [1000, 1000]],
      [old.id, [1000, 0]],
    ])
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
  })

  test('leaves a step without a pause to people, and judges it all the same', async () => {
    const steps = [{ percent: 10 }]
    const { control, clock, keeper, report } = await canaryScene(store, { strategy: 'canary', plan: { steps } })
    await report(1, [100, 0], [900, 0])
    clock.pass(600)
    await report(2, [100, 0], [900, 0])
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
    await report(3, [100, 100], [900, 0])
    await keeper.look()
    expect(await shares(control)).toEqual({ old: 100 })
  })

  test('another control process goes on with a canary when the one before it is gone', async () => {
    const { control, clock, keeper, report } = await canaryScene(store)
    await keeper.look()
    const next = keeperOf(control)
    await report(1, [100, 100], [900, 0])
    await next.look()
    expect(await shares(control)).toEqual({ old: 90, new: 10 })
    clock.pass(8)
    await next.look()
    expect(await shares(control)).toEqual({ old: 100 })
  })

  test('does nothing about a canary that somebody promoted meanwhile', async () => {
    const { control, keeper, fresh, report } = await canaryScene(store)
    await report(1, [100, 100], [900, 0])
    await act(control, fresh.id, 'promote')
    await keeper.look()
    expect(await shares(control)).toEqual({ new: 100 })
  })

  test('judges a canary also when another one cannot be', async () => {
    const { control, keeper, fresh: broken, clock } = await canaryScene(store)
    await publish(control, filmsAnswering('old'), 'films')
    const old = await deployLatest(control, {}, 'films')
    await publish(control, filmsAnswering('new'), 'films')
    const fresh = await deployLatest(control, { strategy: 'canary', plan }, 'films')
    await control.database.write((db) =>
      db.updateTable('deployments').set({ plan: '{"canary":"what?"}' }).where('id', '=', broken.id).execute(),
    )
    const token = await joinedGateway(control, 'production')
    clock.pass(1)
    await reportCounts(control, token, 1, [
      [fresh.id, [100, 100]],
      [old.id, [900, 0]],
    ])
    await expect(keeper.look()).rejects.toThrow('stay as they are')
    expect(await statesOf(control.database)).toEqual({ [broken.id]: 'progressing', [fresh.id]: 'rolled-back' })
  })

  test('forgets counts that nobody judges by any more, also while nothing is judged', async () => {
    const { control, clock, keeper, report } = await canaryScene(store, { strategy: 'blue-green' })
    await report(1, [10, 0], [10, 0])
    clock.pass(1_200)
    await report(2, [10, 0], [10, 0])
    await keeper.look()
    const left = await control.database.read.selectFrom('deployment_counts').select('slot').distinct().execute()
    expect(left.map(({ slot }) => Number(slot))).toEqual([2])
  })
})
