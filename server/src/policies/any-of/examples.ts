/** Which other policies are named here is a matter of the examples alone. */
export const anyOfExamples = [
  {
    title: 'An API key or a token',
    config: {
      policies: [
        { kind: 'key-auth' },
        {
          kind: 'jwt',
          config: {
            jwksUrl: 'https://login.example.com/.well-known/jwks.json',
            issuer: 'https://login.example.com/',
            audiences: ['books'],
          },
        },
      ],
    },
  },
]
