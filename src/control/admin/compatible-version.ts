/** Tools take their features from it: what they may expect is what ProxySQL of this version has. */
export const COMPATIBLE_VERSION = '2.7.1';
