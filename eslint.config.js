import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

/** Nothing points back: views → state → api, views → components. */
function layer(files, forbidden) {
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: forbidden.map((group) => ({ group: [group] })) }] },
  }
}

export default ts.config(
  { ignores: ['dist/', 'target/', 'node_modules/', 'ui/lib/api/generated/', 'src-tauri/', 'scripts/', 'tests/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      'no-undef': 'off',
      'svelte/require-each-key': 'error',
      // The content security policy refuses style attributes; `style:` directives go through the CSSOM and are fine.
      'no-restricted-syntax': [
        'error',
        { selector: 'SvelteAttribute[key.name="style"]', message: 'No style attributes.' },
      ],
      'svelte/no-at-html-tags': 'off',
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  layer(['ui/lib/api/**'], ['@tauri-apps/*', '$lib/*', '**/state/*', '**/views/**', '**/components/*']),
  { files: ['ui/lib/api/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
  layer(['ui/lib/state/**'], ['@tauri-apps/*', '**/views/**', '**/components/*']),
  layer(
    ['ui/lib/components/**'],
    ['@tauri-apps/*', '**/api/**', '**/state/**', '**/views/**', '**/i18n', '**/i18n/**'],
  ),
  layer(['ui/lib/views/**', 'ui/*.svelte'], ['@tauri-apps/*']),
)
