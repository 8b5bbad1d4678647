/** What a page must show as text and never run; a run sets `canary`. */
const ACT = 'globalThis.canary=1';
const SHAPES = [
  (act: string) => `<script>${act}</script>`,
  (act: string) => `<img src=x onerror=${act}>`,
  (act: string) => `<svg onload=${act}>`,
  (act: string) => `<svg><script>${act}</script></svg>`,
  (act: string) => `<iframe srcdoc="<script>parent.canary=1</script>">${act}</iframe>`,
  (act: string) => `<a href="javascript:${act}">x</a>`,
  (act: string) => `<body onload=${act}>`,
  (act: string) => `<details open ontoggle=${act}>`,
  (act: string) => `<input autofocus onfocus=${act}>`,
  (act: string) => `<style>*{background:url(javascript:${act})}</style>`,
  (act: string) => `<base href="javascript:${act}//">`,
  (act: string) => `<form action="javascript:${act}"><button>x</button></form>`,
  (act: string) => `<math><mtext><img src=x onerror=${act}></mtext></math>`,
  (act: string) => `<template><img src=x onerror=${act}></template>`,
  (act: string) => `<video><source onerror=${act}></video>`,
  (act: string) => `<object data="javascript:${act}">`,
  (act: string) => `{{constructor.constructor('${act}')()}}`,
  (act: string) => `\${${act}}`,
  (act: string) => `javascript:${act}`,
  (act: string) => `data:text/html,<script>${act}</script>`,
];
const WRAPS = ['', '">', "'>", '</title>', '</textarea>', '-->', '\u202e', '\u001b]8;;', '\u2028', '`'];
/** Two hundred strings: every shape out of every place that a careless template would put it. */
export const ATTACKS = SHAPES.flatMap((shape) => WRAPS.map((wrap) => `${wrap}${shape(ACT)}`));
