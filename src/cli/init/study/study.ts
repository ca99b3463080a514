/**
 * A study of your own: `ablations/` says what is compared, one file each, `profiles/` at which scale. This file says which factors
 * there are to choose and which stages the choices become: here those of TinyMIM (CVPR 2023), as they are shipped. A teacher is
 * pre-trained as a masked autoencoder (MAE), a student learns from it, is fine-tuned on labels, and tested.
 *
 * In this folder:
 *   ablate plan     the stages that the arms need, and which of them they share
 *   ablate sweep    runs what is missing, then writes reports/minute/index.html
 */
import tinymim from 'tinymim-ablations/tinymim';

export default { ...tinymim, name: 'My study' }; // the title of its reports, and whose stages and reports they are
