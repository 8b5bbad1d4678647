import { render } from 'preact';
import { Root } from './app.tsx';
import { createPageClient } from './data/client.ts';
import { createStore } from './data/store.ts';
import { applyTheme, rememberedTheme, type Theme } from './data/theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/fields.css';
import './styles/panels.css';
import './styles/frame.css';
import './styles/palette.css';
import './styles/overview.css';
import './styles/files.css';
import './styles/search.css';
import './styles/records.css';
import './styles/views.css';
import './styles/narrow.css';

const theme = createStore<Theme>(rememberedTheme());
applyTheme(theme);

const place = document.getElementById('app');
if (place === null) throw new Error('index.html has no place for the app');
render(<Root client={createPageClient()} theme={theme} />, place);
