/**
 * Tells callers of an old version, with every answer, since when it is deprecated, when it ends and what comes after it;
 * and ends it, when that is wanted.
 */
import { z } from 'zod'
import { address } from '../../kernel/address-syntax.ts'
import { definePolicy, type PolicyInstance } from '../../kernel/policy.ts'
import type { Principal } from '../../kernel/principal.ts'
import { defineProblem } from '../../kernel/problem.ts'

const sunsetPassed = defineProblem({
  code: 'deprecation.sunset_passed',
  status: 410,
  title: 'This version has ended',
  blame: 'caller',
  remedy:
    'The version was deprecated and its last day, which `Sunset` names, is over. `Link` leads to its successor (`successor-version`) and to what is said about the change (`deprecation`, `sunset`), as far as the operator gave them: move over.',
})

const retired = defineProblem({
  code: 'deprecation.retired',
  status: 410,
  title: 'This version is retired',
  blame: 'caller',
  remedy:
    'The version has been retired and does not come back. `detail` and `Link` (`successor-version`) name its successor, as far as the operator gave one: move over.',
})

const moment = z.iso.datetime({ offset: true })

export const deprecation = definePolicy({
  kind: 'deprecation',
  title: 'Deprecation',
  summary: 'Announces the end of a version with every answer, and can refuse requests after it.',
  stability: 'stable',
  config: z.strictObject({
    deprecatedAt: moment.optional().meta({
      title: 'Deprecated at',
      description: 'Since when, or from when, the version is deprecated: the field `Deprecation` (RFC 9745).',
    }),
    sunsetAt: moment.optional().meta({
      title: 'Sunset at',
      description: 'When it is expected to stop answering: the field `Sunset` (RFC 8594).',
    }),
    link: address.optional().meta({
      title: 'Link',
      description: 'Page about the change: `Link` with `rel="deprecation"`, and `rel="sunset"` when there is one.',
    }),
    successor: address.optional().meta({
      title: 'Successor',
      description: 'The version to move to: `Link` with `rel="successor-version"`.',
    }),
    refuseAfterSunset: z.boolean().default(false).meta({
      title: 'Refuse after sunset',
      description: 'Answers 410 from `sunsetAt` on, instead of calling the upstream.',
    }),
    retired: z.boolean().default(false).meta({
      title: 'Retired',
      description: 'Answers 410 to every request, whatever the dates say.',
    }),
  }),
  examples: [
    {
      title: 'Deprecated, with half a year to move',
      config: {
        deprecatedAt: '2026-03-01T00:00:00Z',
        sunsetAt: '2026-09-01T00:00:00Z',
        link: 'https://developer.example.com/changes/v2',
        successor: 'https://api.example.com/v2',
      },
    },
    { title: 'Closed on the day', config: { sunsetAt: '2026-09-01T00:00:00Z', refuseAfterSunset: true } },
  ],
  problems: [sunsetPassed, retired],

  lifecycle({ state, ...announced }) {
    if (state === 'deprecated') return announced
    return state === 'retired' ? { ...announced, retired: true } : undefined
  },

  check({ deprecatedAt, sunsetAt, refuseAfterSunset, retired: isRetired }, check) {
    if (deprecatedAt === undefined && sunsetAt === undefined && !isRetired)
      check.report([], 'announces nothing: give `deprecatedAt` or `sunsetAt`')
    // RFC 9745 §4: a resource is not gone before it is deprecated.
    if (deprecatedAt !== undefined && sunsetAt !== undefined && Date.parse(sunsetAt) < Date.parse(deprecatedAt))
      check.report(['sunsetAt'], 'must not be before `deprecatedAt`')
    if (refuseAfterSunset && sunsetAt === undefined)
      check.report(['refuseAfterSunset'], 'has no effect without `sunsetAt`')
  },

  setup(
    { deprecatedAt, sunsetAt, link, successor, refuseAfterSunset, retired: isRetired },
    { clock, callers },
  ): PolicyInstance {
    // A Date of structured fields (RFC 9651 §3.3.7) for the one, an HTTP date for the other: each as its RFC has it.
    const deprecated = deprecatedAt && `@${Math.floor(Date.parse(deprecatedAt) / 1000)}`
    const sunset = sunsetAt && new Date(sunsetAt).toUTCString()
    const links = [
      ...(link !== undefined && deprecated !== undefined ? [`<${link}>; rel="deprecation"`] : []),
      ...(link !== undefined && sunset !== undefined ? [`<${link}>; rel="sunset"`] : []),
      ...(successor === undefined ? [] : [`<${successor}>; rel="successor-version"`]),
    ]
    const refusesFromMs = refuseAfterSunset && sunsetAt !== undefined ? Date.parse(sunsetAt) : Infinity
    return {
      request() {
        if (isRetired) return retired({ detail: toRetiredText(successor) })
        if (clock.now() < refusesFromMs) return undefined
        return sunsetPassed({ detail: `This version has not been answering since ${sunset}.` })
      },
      response({ reply }) {
        // An upstream's own dates give way: either field has one value only.
        if (deprecated !== undefined) reply?.fields.set('deprecation', deprecated)
        if (sunset !== undefined) reply?.fields.set('sunset', sunset)
        for (const each of links) reply?.fields.append('link', each)
      },
      close({ route, principal, problem }) {
        // Whoever is turned away for what they sent, and is nobody that is known, does not use the version.
        if (principal === undefined && problem?.definition.blame === 'caller') return
        if (route !== undefined) callers.called(route.api, route.apiVersion, toCaller(principal))
      },
    }
  },
})

function toRetiredText(successor: string | undefined): string {
  return successor === undefined ? 'This version has no successor.' : `Its successor is ${successor}.`
}

const MOST_NAME_CHARS = 200

/**
 * No consumer's name has a colon, so nobody who is named by a token can pass for one. Nor can a name keep the gateway from
 * telling of anybody: control takes no NUL and nothing that is not Unicode.
 */
function toCaller(principal: Principal | undefined): string {
  if (principal === undefined) return ''
  return principal.consumer ?? `sub:${principal.id.slice(0, MOST_NAME_CHARS).replaceAll('\0', '').toWellFormed()}`
}
