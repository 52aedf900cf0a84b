// The few words and examples by which the fake router knows a field.

export interface Field {
  words: [word: string, weight: number][]
  examples: string[]
}

export const FIELDS: Record<string, Field> = {
  medical_dora: {
    words: [
      ['diabetes', 0.82],
      ['diyabet', 0.82],
      ['glucose', 0.7],
      ['symptom', 0.66],
      ['belirti', 0.5],
      ['hastalık', 0.66],
      ['tansiyon', 0.7],
      ['doctor', 0.4],
      ['doktor', 0.4],
      ['ilaç', 0.5],
    ],
    examples: [
      'What are the first signs of type 2 diabetes?',
      'How is high blood pressure treated?',
      'Tansiyon ilacı ne zaman alınmalı?',
    ],
  },
  legal_dora: {
    words: [
      ['contract', 0.7],
      ['lease', 0.74],
      ['notice', 0.4],
      ['sözleşme', 0.74],
      ['kira', 0.6],
      ['dava', 0.7],
      ['law', 0.5],
      ['hukuk', 0.7],
    ],
    examples: ['When does a fixed-term lease end?', 'Is an oral contract valid?', 'Kira sözleşmesi nasıl feshedilir?'],
  },
  coding_dora: {
    words: [
      ['python', 0.86],
      ['code', 0.6],
      ['kod', 0.6],
      ['function', 0.5],
      ['regex', 0.8],
      ['borrow', 0.5],
      ['file', 0.25],
      ['typescript', 0.86],
    ],
    examples: [
      'How do I reverse a list in Python?',
      'What does this regular expression match?',
      'TypeScript ile bir dosya nasıl okunur?',
    ],
  },
  finance_dora: {
    words: [
      ['inflation', 0.8],
      ['enflasyon', 0.8],
      ['interest', 0.5],
      ['faiz', 0.7],
      ['kredi', 0.74],
      ['taksit', 0.6],
      ['invoice', 0.6],
      ['fatura', 0.6],
    ],
    examples: ['How is compound interest calculated?', 'What is a bond yield?', 'Kredi faizi nasıl hesaplanır?'],
  },
  turkish_dora: {
    words: [
      ['türkçe', 0.7],
      ['yazım', 0.6],
      ['deyim', 0.7],
      ['tutanağını', 0.3],
    ],
    examples: ['“De” ne zaman ayrı yazılır?', 'Bu cümleyi daha akıcı yaz.'],
  },
  general_dora: {
    words: [
      ['explain', 0.2],
      ['plan', 0.2],
    ],
    examples: ['Plan a trip of three days.', 'Write a polite reminder.'],
  },
  science_dora: {
    words: [
      ['photosynthesis', 0.84],
      ['fotosentez', 0.84],
      ['mean', 0.35],
      ['median', 0.6],
      ['ortalama', 0.5],
      ['atom', 0.7],
    ],
    examples: ['Why is the sky blue?', 'When is the median better than the mean?', 'Atom neden kararlıdır?'],
  },
  'tarim-uzmani': {
    words: [
      ['buğday', 0.8],
      ['gübre', 0.8],
      ['tarım', 0.8],
    ],
    examples: ['Buğdaya ne zaman gübre verilir?'],
  },
}
