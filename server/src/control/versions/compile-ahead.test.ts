import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { act, answering, deployAs, deployLatest, guard, publish } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const small = { kind: 'request-size', config: { maxBodyBytes: 100 } }

interface Interrupted {
  readonly control: TestControl
  /** Lets the change happen once, after the next operation has compiled and before its transaction. */
  readonly before: (change: () => Promise<unknown>) => void
}

async function startInterrupted(store: TestStore): Promise<Interrupted> {
  const database = await store.open()
  let waiting: (() => Promise<unknown>) | undefined
  const write: typeof database.write = async (work) => {
    const change = waiting
    waiting = undefined
    await change?.()
    return database.write(work)
  }
  const control = await testControl({ database: { ...database, write } })
  return {
    control,
    before: (change) => {
      waiting = change
    },
  }
}

async function liveLines({ database }: TestControl): Promise<string> {
  const rows = await database.read
    .selectFrom('snapshot_lines')
    .select('line')
    .where('key', 'like', '%/books/%')
    .execute()
  return rows.map(({ line }) => line).join('\n')
}

/** Puts a protection into the workspace's settings. */
const protect = (control: TestControl) => () =>
  control.done('PUT', AT, { title: 'Default', settings: { policies: [small] } }, { 'if-match': '*' })

describeOnEveryStore('a protection that is put in while something else goes live', (store) => {
  test('is in what a deployment brings', async () => {
    const { control, before } = await startInterrupted(store)
    await publish(control, answering('first'))
    before(protect(control))
    await deployLatest(control)
    expect(await liveLines(control)).toContain('request-size')
  })

  test('is in what a rollback brings back', async () => {
    const { control, before } = await startInterrupted(store)
    await publish(control, answering('first'))
    await deployLatest(control)
    await publish(control, answering('second'))
    const { id } = await deployLatest(control)
    before(protect(control))
    await act(control, id, 'rollback')
    expect(await liveLines(control)).toContain('request-size')
  })

  test('is in what an approval lets in', async () => {
    const { control, before } = await startInterrupted(store)
    await guard(control)
    const id = await deployAs(control, (await createPerson(control, 'operator')).token)
    before(protect(control))
    await act(control, id, 'approve')
    expect(await liveLines(control)).toContain('request-size')
  })

  test('counts as well when it is a list of policies', async () => {
    const { control, before } = await startInterrupted(store)
    await publish(control, answering('first'))
    before(() => control.done('POST', `${AT}/policies`, { name: 'all', default: true, policies: [small] }))
    await deployLatest(control)
    expect(await liveLines(control)).toContain('request-size')
  })

  test('counts as well when it is the value of a secret', async () => {
    const { control, before } = await startInterrupted(store)
    const header = { kind: 'headers', config: { request: { set: { 'x-key': '${secret:shop-key}' } } } }
    await control.done('POST', `${AT}/secrets`, { name: 'shop-key', value: 'leaked' })
    await publish(control, { ...answering('first'), policies: [header] })
    before(() => control.done('PUT', `${AT}/secrets/shop-key`, { value: 'renewed' }, { 'if-match': '*' }))
    await deployLatest(control)
    expect(await liveLines(control)).toContain('renewed')
  })
})
