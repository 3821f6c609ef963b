const OTHER_NAME = "The receiver's certificate is for another host name.";
const UNKNOWN_ISSUER =
  "The issuer of the receiver's certificate is unknown: the receiver may not send its intermediate certificates.";

/** Why a certificate was refused, by the code of Node's error. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "The receiver's certificate has expired.",
  CERT_NOT_YET_VALID: "The receiver's certificate is not valid yet.",
  CERT_REVOKED: "The receiver's certificate is revoked.",
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  HOSTNAME_MISMATCH: OTHER_NAME,
  DEPTH_ZERO_SELF_SIGNED_CERT: "The receiver's certificate is self-signed.",
  SELF_SIGNED_CERT_IN_CHAIN: "The receiver's certificate comes from an issuer that is not trusted.",
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  ECONNRESET: 'The receiver closed the connection during the TLS handshake.',
};

/** Why a handshake failed, by a pattern of OpenSSL's reason, which is part of the error's message. */
const handshakeReasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /protocol version|unsupported protocol|no protocols available/,
    'The receiver supports no version of TLS that PassPost supports.',
  ],
  [/handshake failure|no shared cipher/, 'The receiver and PassPost have no TLS protocol or cipher in common.'],
  [/wrong version number|http request/, 'The receiver does not answer in TLS on this port.'],
  [/certificate required/, 'The receiver requires a client certificate.'],
];

/** Returns the reason of a failed TLS connection as a sentence; `null` if it is unknown. */
export const tlsReason = ({ code = '', message }: NodeJS.ErrnoException): string | null =>
  certificateReasons[code] ?? handshakeReasons.find(([pattern]) => pattern.test(message))?.[1] ?? null;
