/*
 * charset_single - the sets of one byte a character: what 0x80 to 0xff, or
 * 0xa0 to 0xff where the set has controls before, stand for.
 *
 * U+FFFD is where a set has nothing. What is invisible, combines or is
 * written from right to left is escaped.
 */
#include "text/charset_int.h"

const struct charset_single charset_singles[] = {
	{ " iso-8859-1 iso8859-1 iso_8859-1 latin1 latin-1 l1 windows-1252"
	  " cp1252 x-cp1252 ansi iso-8859-1-windows-3.1-latin-1 ",
	    "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ"
	    "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿"
	    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
	    "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ" },
	{ " iso-8859-2 iso8859-2 iso_8859-2 latin2 latin-2 ",
	    "\u00a0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u00adŽŻ°ą˛ł´ľśˇ¸šşťź˝žż"
	    "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
	    "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙" },
	{ " iso-8859-3 iso8859-3 latin3 ",
	    "\u00a0Ħ˘£¤\ufffdĤ§¨İŞĞĴ\u00ad\ufffdŻ°ħ²³´µĥ·¸ışğĵ½\ufffdż"
	    "ÀÁÂ\ufffdÄĊĈÇÈÉÊËÌÍÎÏ\ufffdÑÒÓÔĠÖ×ĜÙÚÛÜŬŜß"
	    "àáâ\ufffdäċĉçèéêëìíîï\ufffdñòóôġö÷ĝùúûüŭŝ˙" },
	{ " iso-8859-4 iso8859-4 latin4 ",
	    "\u00a0ĄĸŖ¤ĨĻ§¨ŠĒĢŦ\u00adŽ¯°ą˛ŗ´ĩļˇ¸šēģŧŊžŋ"
	    "ĀÁÂÃÄÅÆĮČÉĘËĖÍÎĪĐŅŌĶÔÕÖ×ØŲÚÛÜŨŪß"
	    "āáâãäåæįčéęëėíîīđņōķôõö÷øųúûüũū˙" },
	{ " iso-8859-5 iso8859-5 cyrillic ",
	    "\u00a0ЁЂЃЄЅІЇЈЉЊЋЌ\u00adЎЏАБВГДЕЖЗИЙКЛМНОП"
	    "РСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп"
	    "рстуфхцчшщъыьэюя№ёђѓєѕіїјљњћќ§ўџ" },
	{ " iso-8859-6 iso8859-6 iso-8859-6-i iso-8859-6-e arabic ",
	    "\u00a0\ufffd\ufffd\ufffd¤\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd،\u00ad\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd\u061b\ufffd\ufffd\ufffd\u061f"
	    "\ufffd\u0621\u0622\u0623\u0624\u0625\u0626\u0627\u0628\u0629"
	    "\u062a\u062b\u062c\u062d\u062e\u062f\u0630\u0631\u0632\u0633"
	    "\u0634\u0635\u0636\u0637\u0638\u0639\u063a\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd"
	    "\u0640\u0641\u0642\u0643\u0644\u0645\u0646\u0647\u0648\u0649"
	    "\u064a\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd" },
	{ " iso-8859-7 iso8859-7 iso_8859-7 greek ",
	    "\u00a0‘’£€₯¦§¨©ͺ«¬\u00ad\ufffd―°±²³΄΅Ά·ΈΉΊ»Ό½ΎΏ"
	    "ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ\ufffdΣΤΥΦΧΨΩΪΫάέήί"
	    "ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ\ufffd" },
	{ " iso-8859-8 iso8859-8 iso-8859-8-i iso-8859-8-e hebrew ",
	    "\u00a0\ufffd¢£¤¥¦§¨©×«¬\u00ad®¯°±²³´µ¶·¸¹÷»¼½¾\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd‗"
	    "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8\u05d9"
	    "\u05da\u05db\u05dc\u05dd\u05de\u05df\u05e0\u05e1\u05e2\u05e3"
	    "\u05e4\u05e5\u05e6\u05e7\u05e8\u05e9\u05ea\ufffd\ufffd\u200e"
	    "\u200f\ufffd" },
	{ " iso-8859-10 iso8859-10 latin6 ",
	    "\u00a0ĄĒĢĪĨĶ§ĻĐŠŦŽ\u00adŪŊ°ąēģīĩķ·ļđšŧž―ūŋ"
	    "ĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏÐŅŌÓÔÕÖŨØŲÚÛÜÝÞß"
	    "āáâãäåæįčéęëėíîïðņōóôõöũøųúûüýþĸ" },
	{ " iso-8859-13 iso8859-13 latin7 ",
	    "\u00a0”¢£¤„¦§Ø©Ŗ«¬\u00ad®Æ°±²³“µ¶·ø¹ŗ»¼½¾æ"
	    "ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß"
	    "ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž’" },
	{ " iso-8859-14 iso8859-14 latin8 ",
	    "\u00a0Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u00ad®ŸḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡ"
	    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏŴÑÒÓÔÕÖṪØÙÚÛÜÝŶß"
	    "àáâãäåæçèéêëìíîïŵñòóôõöṫøùúûüýŷÿ" },
	{ " iso-8859-15 iso8859-15 iso_8859-15 latin9 latin-9 ",
	    "\u00a0¡¢£€¥Š§š©ª«¬\u00ad®¯°±²³Žµ¶·ž¹º»ŒœŸ¿"
	    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"
	    "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ" },
	{ " iso-8859-16 iso8859-16 latin10 ",
	    "\u00a0ĄąŁ€„Š§š©Ș«Ź\u00adźŻ°±ČłŽ”¶·žčș»ŒœŸż"
	    "ÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚß"
	    "àáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ" },
	{ " windows-1250 cp1250 x-cp1250 ",
	    "€\ufffd‚\ufffd„…†‡\ufffd‰Š‹ŚŤŽŹ\ufffd‘’“”•–—\ufffd™š›śťžź"
	    "\u00a0ˇ˘Ł¤Ą¦§¨©Ş«¬\u00ad®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż"
	    "ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß"
	    "ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙" },
	{ " windows-1251 cp1251 x-cp1251 win-1251 ",
	    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\ufffd™љ›њќћџ"
	    "\u00a0ЎўЈ¤Ґ¦§Ё©Є«¬\u00ad®Ї°±Ііґµ¶·ё№є»јЅѕї"
	    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
	    "абвгдежзийклмнопрстуфхцчшщъыьэюя" },
	{ " windows-1253 cp1253 x-cp1253 ",
	    "€\ufffd‚ƒ„…†‡\ufffd‰\ufffd‹\ufffd\ufffd\ufffd\ufffd\ufffd‘’“”•–"
	    "—\ufffd™\ufffd›\ufffd\ufffd\ufffd\ufffd"
	    "\u00a0΅Ά£¤¥¦§¨©\ufffd«¬\u00ad®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ"
	    "ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ\ufffdΣΤΥΦΧΨΩΪΫάέήί"
	    "ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ\ufffd" },
	{ " windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso_8859-9"
	  " latin5 ",
	    "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffd\ufffd\ufffd\ufffd‘’“”•–—˜™š›œ\ufffd"
	    "\ufffdŸ"
	    "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿"
	    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß"
	    "àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ" },
	{ " windows-1255 cp1255 x-cp1255 ",
	    "€\ufffd‚ƒ„…†‡ˆ‰\ufffd‹\ufffd\ufffd\ufffd\ufffd\ufffd‘’“”•–—˜™"
	    "\ufffd›\ufffd\ufffd\ufffd\ufffd"
	    "\u00a0¡¢£₪¥¦§¨©×«¬\u00ad®¯°±²³´µ¶·¸¹÷»¼½¾¿"
	    "\u05b0\u05b1\u05b2\u05b3\u05b4\u05b5\u05b6\u05b7\u05b8\u05b9"
	    "\ufffd\u05bb\u05bc\u05bd\u05be\u05bf\u05c0\u05c1\u05c2\u05c3"
	    "\u05f0\u05f1\u05f2\u05f3\u05f4\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd"
	    "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7\u05d8\u05d9"
	    "\u05da\u05db\u05dc\u05dd\u05de\u05df\u05e0\u05e1\u05e2\u05e3"
	    "\u05e4\u05e5\u05e6\u05e7\u05e8\u05e9\u05ea\ufffd\ufffd\u200e"
	    "\u200f\ufffd" },
	{ " windows-1256 cp1256 x-cp1256 ",
	    "€\u067e‚ƒ„…†‡ˆ‰\u0679‹Œ\u0686\u0698\u0688\u06af‘’“”•–—\u06a9™"
	    "\u0691›œ\u200c\u200d\u06ba"
	    "\u00a0،¢£¤¥¦§¨©\u06be«¬\u00ad®¯°±²³´µ¶·¸¹\u061b»¼½¾\u061f"
	    "\u06c1\u0621\u0622\u0623\u0624\u0625\u0626\u0627\u0628\u0629"
	    "\u062a\u062b\u062c\u062d\u062e\u062f\u0630\u0631\u0632\u0633"
	    "\u0634\u0635\u0636×\u0637\u0638\u0639\u063a\u0640\u0641\u0642"
	    "\u0643"
	    "à\u0644â\u0645\u0646\u0647\u0648çèéêë\u0649\u064aîï\u064b\u064c"
	    "\u064d\u064eô\u064f\u0650÷\u0651ù\u0652ûü\u200e\u200f\u06d2" },
	{ " windows-1257 cp1257 x-cp1257 ",
	    "€\ufffd‚\ufffd„…†‡\ufffd‰\ufffd‹\ufffd¨ˇ¸\ufffd‘’“”•–—\ufffd™"
	    "\ufffd›\ufffd¯˛\ufffd"
	    "\u00a0\ufffd¢£¤\ufffd¦§Ø©Ŗ«¬\u00ad®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ"
	    "ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß"
	    "ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙" },
	{ " windows-1258 cp1258 x-cp1258 ",
	    "€\ufffd‚ƒ„…†‡ˆ‰\ufffd‹Œ\ufffd\ufffd\ufffd\ufffd‘’“”•–—˜™\ufffd›"
	    "œ\ufffd\ufffdŸ"
	    "\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿"
	    "ÀÁÂĂÄÅÆÇÈÉÊË\u0300ÍÎÏĐÑ\u0309ÓÔƠÖ×ØÙÚÛÜƯ\u0303ß"
	    "àáâăäåæçèéêë\u0301íîïđñ\u0323óôơö÷øùúûüư₫ÿ" },
	{ " windows-874 cp874 tis-620 tis620 iso-8859-11 iso8859-11 ",
	    "€\ufffd\ufffd\ufffd\ufffd…\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd\ufffd‘’“”•–—\ufffd\ufffd\ufffd\ufffd"
	    "\ufffd\ufffd\ufffd\ufffd"
	    "\u00a0กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟ"
	    "ภมยรฤลฦวศษสหฬอฮฯะ\u0e31าำ\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39"
	    "\u0e3a\ufffd\ufffd\ufffd\ufffd฿"
	    "เแโใไๅๆ\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e4d\u0e4e๏๐๑๒๓๔๕๖"
	    "๗๘๙๚๛\ufffd\ufffd\ufffd\ufffd" },
	{ " koi8-r koi8 koi ",
	    "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u00a0⌡°²·÷"
	    "═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©"
	    "юабцдефгхийклмнопярстужвьызшэщчъ"
	    "ЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ" },
	{ " koi8-u koi8-ru ",
	    "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u00a0⌡°²·÷"
	    "═║╒ёє╔ії╗╘╙╚╛ґ╝╞╟╠╡ЁЄ╣ІЇ╦╧╨╩╪Ґ╬©"
	    "юабцдефгхийклмнопярстужвьызшэщчъ"
	    "ЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ" },
	{ " ibm437 cp437 437 ",
	    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
	    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
	    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
	    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0" },
	{ " ibm850 cp850 850 ",
	    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ"
	    "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"
	    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀"
	    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0" },
	{ " ibm852 cp852 852 ",
	    "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č"
	    "áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐"
	    "└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀"
	    "ÓßÔŃńňŠšŔÚŕŰýÝţ´\u00ad˝˛ˇ˘§÷¸°¨˙űŘř■\u00a0" },
	{ " ibm866 cp866 866 ",
	    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
	    "абвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
	    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
	    "рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√№¤■\u00a0" },
	{ " macintosh mac x-mac-roman x-macroman ",
	    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü"
	    "†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø"
	    "¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ"
	    "‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\ufffdÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ" },
	{ " x-mac-cyrillic x-mac-ukrainian ",
	    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
	    "†°Ґ£§•¶І®©™Ђђ≠Ѓѓ∞±≤≥іµґЈЄєЇїЉљЊњ"
	    "јЅ¬√ƒ≈∆«»…\u00a0ЋћЌќѕ–—“”‘’÷„ЎўЏџ№Ёёя"
	    "абвгдежзийклмнопрстуфхцчшщъыьэю€" },
};

const size_t charset_nsingles =
    sizeof(charset_singles) / sizeof(charset_singles[0]);
