/** The login page works without this: it only takes over the theme that somebody has chosen. */
import { applyTheme } from './theme.ts';

applyTheme();
