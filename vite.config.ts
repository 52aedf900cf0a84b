import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { svelteTesting } from '@testing-library/svelte/vite'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const lib = fileURLToPath(new URL('./ui/lib', import.meta.url))

/** KaTeX names every font three times; each web view the program runs in reads the first of them. */
const onlyWoff2: Plugin = {
  name: 'only-woff2',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('katex.min.css')) return null
    return { code: code.replaceAll(/,url\([^)]+\.(?:woff|ttf)\) format\("[^"]+"\)/g, ''), map: null }
  },
}

export default defineConfig({
  root: 'ui',
  plugins: [onlyWoff2, tailwindcss(), svelte({ configFile: '../svelte.config.js' }), svelteTesting()],
  resolve: { alias: { $lib: lib } },
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  preview: { port: 1421 },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    // Safari 15 is the oldest web view of a supported macOS; WebKitGTK and WebView2 are newer.
    target: ['es2022', 'safari15.4'],
    // Both would need inline code or data, which the content security policy refuses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: 'jsdom',
    include: ['**/*.test.ts'],
    setupFiles: ['./test-setup.ts'],
    restoreMocks: true,
    testTimeout: 20000,
  },
})
