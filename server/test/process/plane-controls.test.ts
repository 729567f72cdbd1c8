/** Two control processes on one PostgreSQL, and the gateways that know both. */
import { expect, test } from 'vitest'
import { describeOnPostgres } from '../database.ts'
import { get, startLoad, until } from './gateway-child.ts'
import { startPlane, type Plane } from './plane.ts'

const slow = { timeout: 60_000 }

describeOnPostgres('two control processes', (store) => {
  const start = async (): Promise<Plane> => {
    const { url } = await store.place({ migrated: false })
    return startPlane({ controls: 2, databaseUrl: url })
  }

  test('let one of two edits of the same thing win, and tell the other one', slow, async () => {
    const plane = await start()
    await plane.done('POST', '/workspaces/default/apis', { name: 'books', title: 'as made' })
    for (let round = 0; round < 5; round++) {
      const { etag } = await plane.call('GET', '/workspaces/default/apis/books')
      const edit = (at: number) => {
        const body = { name: 'books', title: `round ${round} by ${at}` }
        return plane.call('PUT', '/workspaces/default/apis/books', body, { headers: { 'if-match': etag }, at })
      }
      const answers = await Promise.all([edit(0), edit(1)])
      const [won, lost] = answers.toSorted((a, b) => a.status - b.status)
      expect([won?.status, lost?.status]).toEqual([200, 412])
      expect(lost?.body).toMatchObject({ code: 'admin.precondition_failed' })
      const { body } = await plane.call('GET', '/workspaces/default/apis/books', undefined, { at: round % 2 })
      expect(body['title']).toBe(won?.body['title'])
    }
    expect(await plane.done('GET', '/audit/verification')).toMatchObject({ whole: true })
  })

  test(
    'are one to the traffic: the end of one of them is not noticed, and changes go live by the other',
    slow,
    async () => {
      const plane = await start()
      await plane.publish({})
      const gateways = [await plane.addGateway(), await plane.addGateway(), await plane.addGateway()]
      const loads = gateways.map(({ port }) => startLoad(port, 2, '/x'))
      await until(() => loads.every(({ counts }) => (counts.get(200) ?? 0) > 50))
      plane.control(0).process.kill('SIGKILL')
      await plane.control(0).exited

      const policies = [{ kind: 'respond', when: "request.path == '/changed'", config: { status: 418 } }]
      const body = { title: 'Default', settings: { policies } }
      const workspace = await plane.call('PUT', '/workspaces/default', body, { headers: { 'if-match': '*' }, at: 1 })
      expect(workspace.status, JSON.stringify(workspace.body)).toBe(200)
      await until(async () => {
        const answers = await Promise.all(gateways.map(({ port }) => get(port, '/changed')))
        return answers.every(({ status }) => status === 418)
      })
      await Promise.all(loads.map((load) => load.stop()))
      expect(loads.map(({ counts }) => [...counts.keys()])).toEqual([[200], [200], [200]])
    },
  )
})
