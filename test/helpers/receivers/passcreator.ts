import { verify } from 'node:crypto';
import type { VerifyByKey } from '../profile-contract.ts';
import { opensslVerifies } from './openssl.ts';
import { publishedPem } from './published-key.ts';

interface SignedBody {
  readonly signature: string;
  readonly signedData: string;
}

/** True if the signed text says the same as the rest of the body. Without this check, the rest could be forged. */
const saysTheSame = (body: string, signedData: string): boolean => {
  const { signature: _, signedData: __, ...rest } = JSON.parse(body);
  return JSON.stringify(rest) === JSON.stringify(JSON.parse(signedData));
};

export const verifyPasscreator: VerifyByKey = ({ body }, keys) => {
  const { signature, signedData }: SignedBody = JSON.parse(body);
  const isSigned = verify(
    'sha256',
    Buffer.from(signedData),
    publishedPem(keys, 'ES256'),
    Buffer.from(signature, 'base64'),
  );
  return isSigned && saysTheSame(body, signedData);
};

export const verifyPasscreatorWithOpenssl: VerifyByKey = ({ body }, keys) => {
  const { signature, signedData }: SignedBody = JSON.parse(body);
  return opensslVerifies(signedData, signature, publishedPem(keys, 'ES256'));
};
