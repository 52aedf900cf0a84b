import type { Translation } from '../messages'
import type { onboardingEn } from './onboarding.en'

export const onboardingTr: Translation<typeof onboardingEn> = {
  'onboarding.step': 'Adım {step} / {count}',
  'onboarding.next': 'Devam',
  'onboarding.back': 'Geri',
  'onboarding.skip': 'Tanıtımı atla',
  'onboarding.done': 'Sohbete başla',

  'onboarding.welcome': 'Hoş geldiniz',
  'onboarding.welcomeText': 'Bu bilgisayarda yaşayan ve internetsiz yanıt veren bir yardımcı.',
  'onboarding.language': 'Dil',
  'onboarding.theme': 'Tema',

  'onboarding.machine': 'Bu bilgisayar',
  'onboarding.machineText': 'Neler bulundu ve bu ne anlama geliyor.',
  'onboarding.looking': 'Donanıma bakılıyor…',
  'onboarding.memoryText': '{total} bellek, şu anda {free} boş.',
  'onboarding.memoryPlenty': 'Listedeki her model için yeterli.',
  'onboarding.memoryEnough': 'Önerilen model için yeterli.',
  'onboarding.memoryLittle': 'Az: programla gelen model çalışır, büyükleri çalışmayabilir.',
  'onboarding.gpuNone': 'Ekran kartı gerekmez.',

  'onboarding.model': 'Model seçimi',
  'onboarding.modelText': 'Küçük bir model programla gelir ve hemen yanıt verir. Önerilen model çok daha iyi yanıtlar.',
  'onboarding.modelGoing': 'Siz devam ederken indirme sürer.',
  'onboarding.later': 'Bunu sonra Modeller bölümünde de yapabilirsiniz.',

  'onboarding.private': 'Bu bilgisayardan dışarıya ne gider?',
  'onboarding.nothing': 'Hiçbir şey.',
  'onboarding.private1': 'Sorular, yanıtlar ve dosyalar burada kalır.',
  'onboarding.private2': 'Hesap yok, izleme yok, bulut yok.',
  'onboarding.private3': 'İnternet bağlantısı yokken de çalışır.',
  'onboarding.private4': 'Yalnızca İndir’e bastığınızda huggingface.co adresinden bir model alınır.',
}
