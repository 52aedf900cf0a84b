import type { Translation } from '../messages'
import type { errorsEn } from './errors.en'

export const errorsTr: Translation<typeof errorsEn> = {
  'errors.unknown_name': 'Burada bu adda bir şey yok.',
  'errors.bad_request': 'Bu istek bu haliyle yerine getirilemez.',
  'errors.name_taken': 'Bu ad zaten kullanılıyor.',
  'errors.context_length_exceeded':
    'Sohbet, modelin bir kerede okuyabileceğinden uzun. Yeni bir sohbet başlatın ya da daha uzun bağlamlı bir model seçin.',
  'errors.model_unusable':
    'Bu modelin dosyaları kullanılamıyor. Modeller sayfasında doğrulayın ya da başka bir model seçin.',
  'errors.expert_unusable':
    'Bu uzmanın dosyaları bu modelle kullanılamıyor. Neyin yanlış olduğunu Uzmanlar sayfası söyler.',
  'errors.download': 'İndirme tamamlanamadı. İnen kısım duruyor; bağlantıya bakıp yeniden deneyin.',
  'errors.busy': 'Başka bir program şu anda bunun üzerinde çalışıyor. O bitince yeniden deneyin.',
  'errors.disk_full': 'Diskte yeterli yer yok.',
  'errors.store': 'Kayıtlı sohbetler okunamıyor ya da yazılamıyor.',
  'errors.failed': 'Bir şey yolunda gitmedi.',
  'errors.detail': 'Ayrıntı (İngilizce): {detail}',
}
