import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

// The part of DER that one certificate needs. https://www.rfc-editor.org/rfc/rfc5280#section-4.1
const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const commonName = (text: string): Buffer =>
  sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(text)))));
const time = (date: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Creates a self-signed certificate for 127.0.0.1 and the names. By default it is valid from one hour ago for two hours. */
export const selfSigned = (
  names: readonly string[],
  untilMs = Date.now() + 3_600_000,
  fromMs = Date.now() - 3_600_000,
): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(hex('06082a8648ce3d040302')); // ecdsa-with-SHA256
  const alternatives = [der(0x87, Buffer.from([127, 0, 0, 1])), ...names.map((name) => der(0x82, Buffer.from(name)))];
  const body = sequence(
    der(0xa0, hex('020102')),
    der(0x02, Buffer.concat([hex('01'), randomBytes(8)])),
    algorithm,
    commonName('receiver'),
    sequence(time(new Date(fromMs)), time(new Date(untilMs))),
    commonName('receiver'),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(hex('0603551d11'), der(0x04, sequence(...alternatives))))),
  );
  const signature = der(0x03, hex('00'), sign('sha256', body, privateKey));
  const certificate = sequence(body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`,
  };
};
