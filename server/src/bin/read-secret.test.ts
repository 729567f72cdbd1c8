import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { readSecret } from './read-secret.ts'

test('a terminal is asked, and does not show what is typed', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough()
  const secret = readSecret(input, output, 'Token: ')
  input.write('a-secret\r')
  expect(await secret).toBe('a-secret')
  output.end()
  expect(await text(output)).toBe('Token: \n')
})

test('Ctrl-C at the prompt gives nothing, and ends', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const secret = readSecret(input, new PassThrough(), 'Token: ')
  input.write('half\u0003')
  expect(await secret).toBe('')
})

test('a pipe is read to its end, without a prompt', async () => {
  const input = new PassThrough()
  const output = new PassThrough()
  input.end('from a pipe\n')
  expect(await readSecret(input, output, 'Token: ')).toBe('from a pipe\n')
  output.end()
  expect(await text(output)).toBe('')
})
