/** What a request says of itself where its scheme asks for nothing else. */
export const ownHeaders = { 'content-type': 'application/json', 'user-agent': 'passpost-webhooks/1.0' } as const;
