import type { ResponseClass } from '../../domain/deliveries/profile.ts';

/** Any 2xx is a success and all else is refused, 410 too. */
export const any2xx = (status: number): ResponseClass => (status >= 200 && status <= 299 ? 'delivered' : 'refused');
