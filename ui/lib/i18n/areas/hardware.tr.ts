import type { Translation } from '../messages'
import type { hardwareEn } from './hardware.en'

export const hardwareTr: Translation<typeof hardwareEn> = {
  'hardware.title': 'Donanım',
  'hardware.intro': 'Bu bilgisayarda ne bulundu, ne kullanılıyor ve neden.',
  'hardware.again': 'Yeniden denetle',
  'hardware.copy': 'Raporu kopyala',
  'hardware.copied': 'Rapor kopyalandı',
  'hardware.readFailed': 'Donanım incelenemedi.',
  'hardware.problems': { one: 'Bir konu ilginizi bekliyor', other: '{count} konu ilginizi bekliyor' },
  'hardware.fine': 'Gereken her şey bulundu ve çalışıyor.',

  'hardware.summary': 'Yanıtları işlemci veriyor: {cores} çekirdeğin {threads} tanesiyle.',
  'hardware.summaryGpu': 'Yanıtları {gpu} veriyor.',
  'hardware.speed.fast':
    'İşlemcide bu tür hesaplar için yapılmış komutlar var. Program bir işlemcide en hızlı böyle çalışır.',
  'hardware.speed.good':
    'İşlemcide bu tür hesaplar için en yeni komutlar yok. Yanıtlar iyi bir hızla gelir, uzun sorular biraz bekletir.',
  'hardware.speed.slow': 'Hızlı komutların hiçbiri kullanılamıyor. Her şey çalışır ama yavaştır.',

  'hardware.compute': 'Hesaplama',
  'hardware.cpu': 'İşlemci',
  'hardware.cores': '{cores} çekirdek, {logical} donanım iş parçacığı, {threads} tanesi kullanılıyor',
  'hardware.isa': 'Komut kümesi',
  'hardware.isaBest': '{isa} kullanılıyor: bu işlemcideki en iyi küme. Açılıştaki öz sınamayı geçti.',
  'hardware.isaForced': '{isa} kullanılıyor. Ayrıntı (İngilizce): {reason}',
  'hardware.isaOthers': 'Kullanılabilecek diğerleri: {list}',
  'hardware.isaRejected': 'Denendi, kullanılmıyor: {list}',
  'hardware.gpu': 'Ekran kartı',
  'hardware.gpuNone':
    'Kullanılabilecek bir ekran kartı bulunamadı. Her şeyi işlemci hesaplar; bunun için eksik bir şey yok.',
  'hardware.gpuUsed': '{name} ({size}) kullanılıyor.',
  'hardware.gpuUnused': '{name} ({size}) bulundu ama kullanılmıyor.',

  'hardware.memory': 'Bellek ve disk',
  'hardware.ram': 'Bellek',
  'hardware.ramFree': '{total} belleğin {free} kadarı boş',
  'hardware.disk': 'Disk',
  'hardware.diskFree': 'Modellerin durduğu yerde {free} boş',
  'hardware.diskUnknown': 'Ne kadar boş yer olduğu okunamadı',
  'hardware.readOnly': 'Veri klasörüne yazılamıyor. Sohbetler ve modeller saklanamaz.',

  'hardware.program': 'Program',
  'hardware.model': 'Kullanılan model',
  'hardware.modelReady': 'Hazır',
  'hardware.system': 'Sistem',
  'hardware.version': 'Sürüm',
  'hardware.home': 'Veri klasörü',
  'hardware.open': 'Aç',
  'hardware.details': 'Programın kendi sözleriyle',
}
