import { render } from 'preact';
import { Root } from './app.tsx';
import { createPageClient } from './data/client.ts';
import { createStore } from './data/store.ts';
import { applyTheme, rememberedTheme, type Theme } from './data/theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/frame.css';
import './styles/views.css';

const theme = createStore<Theme>(rememberedTheme());
applyTheme(theme);

const place = document.getElementById('app');
if (place === null) throw new Error('index.html has no place for the app');
render(<Root client={createPageClient()} theme={theme} />, place);
