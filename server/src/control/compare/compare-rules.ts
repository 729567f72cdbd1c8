/**
 * What a change of a document means for those who call the API. Requests may be let more, never less; answers may promise
 * more, never less. The table of the reference is made from this list.
 */

export interface CompareRule {
  readonly id: string
  readonly kind: 'breaking' | 'safe'
  readonly title: string
}

const breaking = (id: string, title: string): CompareRule => ({ id, kind: 'breaking', title })
const safe = (id: string, title: string): CompareRule => ({ id, kind: 'safe', title })

export const compareRules = {
  operationRemoved: breaking('operation.removed', 'A path or a method of it is gone'),
  operationAdded: safe('operation.added', 'A path or method is new'),
  operationDeprecated: safe('operation.deprecated', 'An operation is marked as deprecated'),

  parameterRemoved: breaking('parameter.removed', 'A parameter is not known any more'),
  parameterAdded: safe('parameter.added', 'An optional parameter is new'),
  parameterRequiredAdded: breaking('parameter.added-required', 'A required parameter is new'),
  parameterRequired: breaking('parameter.became-required', 'A parameter is required that was not'),
  parameterOptional: safe('parameter.became-optional', 'A parameter is not required any more'),
  parameterStyle: breaking('parameter.style', 'A parameter is written in another way'),

  bodyRemoved: breaking('body.removed', 'A request has no body any more'),
  bodyAdded: safe('body.added', 'A request may have a body'),
  bodyRequiredAdded: breaking('body.added-required', 'A request has to have a body, which is new'),
  bodyRequired: breaking('body.became-required', 'The body is required that was not'),
  bodyOptional: safe('body.became-optional', 'The body is not required any more'),
  requestMediaRemoved: breaking('body.media-type-removed', 'A media type is not taken any more'),
  requestMediaAdded: safe('body.media-type-added', 'Another media type is taken'),

  responseRemoved: breaking('response.removed', 'A successful answer is not described any more'),
  errorRemoved: safe('response.error-removed', 'An answer of failure is not described any more'),
  responseAdded: safe('response.added', 'An answer with another status is described'),
  responseMediaRemoved: breaking('response.media-type-removed', 'Answers are not given in a media type any more'),
  responseMediaAdded: safe('response.media-type-added', 'Answers are given in another media type, too'),
  headerRemoved: breaking('response.header-removed', 'Answers do not have a header any more'),
  headerAdded: safe('response.header-added', 'Answers have another header'),
  headerOptional: breaking('response.header-optional', 'Answers may lack a header that they always had'),

  securityAdded: breaking('security.added', 'Callers have to authenticate who did not'),
  securityRemoved: safe('security.removed', 'Callers need not authenticate any more'),
  securityChanged: breaking('security.way-removed', 'A way to authenticate is gone, or asks for more'),
  securityWay: safe('security.way-added', 'There is another way to authenticate'),

  requestTypeNarrowed: breaking('request.type-narrowed', 'A type is not taken any more'),
  requestTypeWidened: safe('request.type-widened', 'Another type is taken'),
  requestEnumNarrowed: breaking('request.enum-narrowed', 'A value is not taken any more, or values are listed'),
  requestEnumWidened: safe('request.enum-widened', 'Another value is taken, or any'),
  requestBoundNarrowed: breaking('request.bound-narrowed', 'A bound, pattern or format is new or narrower'),
  requestBoundWidened: safe('request.bound-widened', 'A bound, pattern or format is gone or wider'),
  requestPropertyRequired: breaking('request.property-required', 'A property has to be sent that had not'),
  requestPropertyOptional: safe('request.property-optional', 'A property need not be sent any more'),
  requestPropertyRemoved: breaking('request.property-removed', 'A property is refused that was described'),
  requestPropertyIgnored: safe('request.property-ignored', 'A property is not described any more, and let pass'),
  requestPropertyAdded: safe('request.property-added', 'A property may be sent'),
  requestClosed: breaking('request.properties-closed', 'Properties that are not described are refused'),
  requestOpened: safe('request.properties-opened', 'Properties that are not described are let pass'),
  requestChoiceRemoved: breaking('request.alternative-removed', 'One of several shapes is not taken any more'),
  requestChoiceAdded: safe('request.alternative-added', 'Another shape is taken'),

  responseTypeWidened: breaking('response.type-widened', 'Answers may have another type'),
  responseTypeNarrowed: safe('response.type-narrowed', 'Answers have fewer types'),
  responseEnumWidened: breaking('response.enum-widened', 'Answers may have another value'),
  responseEnumNarrowed: safe('response.enum-narrowed', 'Answers have fewer values'),
  responseBoundWidened: breaking('response.bound-widened', 'A bound, pattern or format is gone or wider'),
  responseBoundNarrowed: safe('response.bound-narrowed', 'A bound, pattern or format is new or narrower'),
  responsePropertyRemoved: breaking('response.property-removed', 'Answers do not have a property any more'),
  responsePropertyOptional: breaking('response.property-optional', 'Answers may lack a property that they always had'),
  responsePropertyRequired: safe('response.property-required', 'Answers always have a property'),
  responsePropertyAdded: safe('response.property-added', 'Answers have another property'),
  responseChoiceAdded: breaking('response.alternative-added', 'Answers may have another shape'),
  responseChoiceRemoved: safe('response.alternative-removed', 'Answers have fewer shapes'),

  tooDeep: breaking('schema.not-compared', 'Schemas are too large to compare, so that nothing is promised'),
} satisfies Record<string, CompareRule>
