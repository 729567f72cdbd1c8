/** What the gateway itself has to say, apart from policies, HTTP and upstreams. */
import { defineProblem } from '../kernel/problem.ts'

export const routeNotFound = defineProblem({
  code: 'route.not_found',
  status: 404,
  title: 'No such route',
  blame: 'caller',
  proxyError: 'destination_not_found',
  remedy:
    'No API of this gateway answers at this host and path. Check the URL; the operator sees all routes in the configuration.',
})

export const methodNotAllowed = defineProblem({
  code: 'route.method_not_allowed',
  status: 405,
  title: 'Method not allowed',
  blame: 'caller',
  remedy: 'The path exists, but not with this method. `Allow` lists those that it has.',
})

export const pathRefused = defineProblem({
  code: 'route.path_refused',
  status: 400,
  title: 'Path refused',
  blame: 'caller',
  proxyError: 'http_request_error',
  remedy:
    'The path can be read in more than one way. Send it without encoded slashes, control characters and double encoding.',
})

export const subscriptionRequired = defineProblem({
  code: 'subscription.required',
  status: 403,
  title: 'No subscription',
  blame: 'caller',
  remedy:
    'The API belongs to a product whose access is by subscription, and the consumer has no active one: none at all, one that waits for approval, one that is suspended or over. Subscribe, or ask whoever runs the API.',
})

export const overloaded = defineProblem({
  code: 'gateway.overloaded',
  status: 503,
  title: 'Gateway overloaded',
  blame: 'operator',
  proxyError: 'proxy_internal_response',
  remedy:
    'More requests are in flight than `gateway.limits.maxInFlight` allows. Add workers or gateways, or raise the limit.',
})

export const bodyRoomFull = defineProblem({
  code: 'gateway.body_room_full',
  status: 503,
  title: 'Too many bodies in memory',
  blame: 'operator',
  proxyError: 'proxy_internal_response',
  remedy:
    'Bodies that wait in the memory of a worker thread add up to `gateway.limits.maxHeldBodyBytes`. Try again after `Retry-After`. The operator adds workers or gateways, lowers the limits of policies that read whole bodies, or raises this one.',
})

export const fault = defineProblem({
  code: 'gateway.fault',
  status: 500,
  title: 'Internal error',
  blame: 'gateway',
  proxyError: 'proxy_internal_error',
  remedy: 'Headgate failed. The event log has the cause under the request id; please report it.',
})

export const noUpstream = defineProblem({
  code: 'gateway.no_upstream',
  status: 500,
  title: 'Route without upstream',
  blame: 'operator',
  proxyError: 'proxy_configuration_error',
  remedy:
    'The route has no upstream and none of its policies answered, because a `when` was false. Give the route an upstream.',
})
