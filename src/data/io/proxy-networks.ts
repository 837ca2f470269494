/** From where a PROXY header is believed. */

import { BlockList, isIPv6 } from 'node:net';

export class ProxyNetworks {
  #configured: readonly string[] = [];
  #networks = new BlockList();
  #everywhere = false;
  #unixSockets = false;

  /** @param configured as `proxyProtocol.networks`, valid. */
  update(configured: readonly string[]): void {
    if (configured.join() === this.#configured.join()) return;
    this.#configured = configured;
    this.#networks = new BlockList();
    this.#everywhere = configured.includes('*');
    this.#unixSockets = this.#everywhere || configured.includes('localhost');
    for (const text of configured) {
      if (text === '*' || text === 'localhost') continue;
      const [address = '', bits] = text.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(bits), family);
    }
  }

  /** @param address empty for a Unix socket. */
  includes(address: string): boolean {
    if (address === '') return this.#unixSockets;
    return this.#everywhere || this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}
